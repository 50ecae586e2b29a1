/*
 * The modes of ntp_bench. Each takes the arguments behind its name and returns the exit code.
 */
#ifndef BENCH_MODES_H
#define BENCH_MODES_H

int mode_ring(int argc, char **argv);
int mode_sink(int argc, char **argv);
int mode_upload(int argc, char **argv);
int mode_clock(int argc, char **argv);
int mode_format(int argc, char **argv);
int mode_idle(int argc, char **argv);
int mode_log(int argc, char **argv);
int mode_probe(int argc, char **argv);

#endif
