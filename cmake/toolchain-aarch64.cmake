# Cameras with ARTPEC-8, ARTPEC-9 or CV25, with Debian's cross compiler.

set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
# The oldest of their processors: what a newer one has must not be needed.
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64-static -cpu cortex-a53 -L /usr/aarch64-linux-gnu)
