# syntax=docker/dockerfile:1
#
# The camera package with Axis' own SDK, for those without the FixedIT CLI:
#
#   docker build --build-arg ARCH=aarch64 --output . .
#
# leaves NTP_logger_<version>_<arch>.eap here. docs/INSTALL.md tells the build arguments. Upload URLs
# reach config.json in the package; no layer of the resulting image and no line of the log has them.
ARG ARCH=aarch64
ARG VERSION=1.15
ARG UBUNTU_VERSION=22.04
ARG REPO=axisecp
ARG SDK=acap-native-sdk

# The bundled libraries, from pinned sources, with Debian 12's cross compilers.
FROM debian:12-slim AS deps
ARG ARCH
RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
    binutils cmake gcc-aarch64-linux-gnu gcc-arm-linux-gnueabihf libc6-dev-arm64-cross \
    libc6-dev-armhf-cross make patch perl xz-utils
COPY tools/cross-deps.sh tools/cross-deps-recipes.sh tools/cross-deps.pins /opt/src/tools/
COPY tools/lib/common.sh /opt/src/tools/lib/
RUN /opt/src/tools/cross-deps.sh "$ARCH" --prefix /opt/deps

FROM ${REPO}/${SDK}:${VERSION}-${ARCH}-ubuntu${UBUNTU_VERSION} AS build
RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
    binutils cmake pkg-config python3
COPY --from=deps /opt/deps /opt/deps
COPY CMakeLists.txt fixedit-manifest*.json /opt/src/
COPY cmake /opt/src/cmake
COPY include /opt/src/include
COPY src /opt/src/src
COPY tools/check_eap.py /opt/src/tools/
COPY tools/eap /opt/src/tools/eap
COPY app /opt/src/app
COPY app /opt/app
WORKDIR /opt/app
# Check-outs on some systems make everything 0777, which cameras punish silently. The packager wants
# config.json to exist before `make` writes it.
RUN find . -type d -exec chmod 755 {} + && find . -type f -exec chmod 644 {} + && echo '{}' >config.json
ARG ACAP_MANIFEST=manifest.json
ARG FIXEDIT_MANIFEST=fixedit-manifest.json
ARG LIBCURL
ARG SOURCE_DATE_EPOCH
ARG UPLOAD_INTERVAL_S
ARG PRESIGNED_URL_TIME_LOG
ARG PRESIGNED_URL_NTP_STATUS
ARG PRESIGNED_URL_NTP_FAILED_STATUS
RUN . /opt/axis/acapsdk/environment-setup* && acap-build -m "$ACAP_MANIFEST" -a config.json .
RUN python3 /opt/src/tools/check_eap.py --quiet /opt/app/*.eap

FROM scratch
COPY --from=build /opt/app/*.eap /
