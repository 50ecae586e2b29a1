// spdlog: asynchronous (its queue of 8192, waiting when full) or in the caller's thread.
#include "log.h"

#include <spdlog/async.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/spdlog.h>

namespace
{

std::shared_ptr<spdlog::logger> logger;
const char *file_path;

void configure(const char *path)
{
    file_path = path;
    logger->set_pattern("%v");
}

void start_async(const char *path)
{
    static bench_start started;
    spdlog::init_thread_pool(8192, 1, [] {
        bench_pin(1);
        bench_meet(&started);
    });
    bench_meet(&started);
    logger = spdlog::basic_logger_mt<spdlog::async_factory>("bench", path, true);
    configure(path);
}

void start_sync(const char *path)
{
    logger = spdlog::basic_logger_st("bench", path, true);
    configure(path);
}

void put(size_t i)
{
    static const bench_row *const rows = bench_rows();
    const bench_row &row = rows[i];
    logger->info("{},{},{},{:.9f},{}", row.elapsed_us, row.elapsed_wall_us, row.wall_us, row.diff_s,
                 row.status);
}

// The thread pool's end is the only sure sign that all is written.
void flush()
{
    logger->flush();
    logger.reset();
    spdlog::shutdown();
}

const char *stop(size_t *skip)
{
    *skip = 0;
    return file_path;
}

} // namespace

int main(int argc, char **argv)
{
    static const log_case cases[] = {{"async", start_async, put, flush, stop},
                                     {"sync", start_sync, put, flush, stop}};
    return log_main(cases, 2, argc - 1, argv + 1);
}
