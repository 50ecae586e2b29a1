# Cameras with ARTPEC-6, ARTPEC-7 or i.MX 6SoloX, with Debian's cross compiler.

set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR armv7hf)
set(CMAKE_C_COMPILER arm-linux-gnueabihf-gcc)
set(CMAKE_C_FLAGS_INIT "-march=armv7-a+fp -mfloat-abi=hard -mthumb")
# The oldest of their processors: what a newer one has must not be needed.
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-arm-static -cpu cortex-a9 -L /usr/arm-linux-gnueabihf)
