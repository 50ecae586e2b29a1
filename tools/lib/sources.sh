# shellcheck shell=bash
# Sourced by the checks after common.sh: which files there are, and how C is compiled.

generated=$(mktemp -d)
trap 'rm -rf "$generated"' EXIT

# The language and the definitions of cmake/Layer.cmake, for tools that run without CMake.
# shellcheck disable=SC2034 # used by the scripts that source this
c_flags=(-std=c11 -D_GNU_SOURCE -D_TIME_BITS=64 -D_FILE_OFFSET_BITS=64 -Iinclude "-I$generated")

# CMake writes this header; here its shape is enough.
make_generated_header() { sed 's/@[A-Za-z_]*@/0/g' cmake/build_config.h.in >"$generated/build_config.h"; }

# c_files FOLDER...: our C files there, one a line.
c_files() { find "$@" -name '*.[ch]' -type f | sort; }

# script_files: our shell scripts, with or without a suffix.
script_files() {
  find tools tests -name '*.sh' -type f
  find .ci -type f 2>/dev/null
}
