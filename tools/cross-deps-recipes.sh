# shellcheck shell=bash
# shellcheck disable=SC2154 # prefix, work and arch are set by cross-deps.sh
# How tools/cross-deps.sh builds each library. Sourced; uses its arch, cross, prefix and work.

# Everything per architecture, in one place.
select_arch() {
  case $1 in
  aarch64) cross=aarch64-linux-gnu- openssl_target=linux-aarch64 arch_flags='' ;;
  armv7hf)
    # 64-bit time in every object that meets a time_t: Debian's own armhf libraries have 32
    cross=arm-linux-gnueabihf- openssl_target=linux-armv4
    arch_flags='-march=armv7-a+fp -D_TIME_BITS=64 -D_FILE_OFFSET_BITS=64'
    ;;
  host-static) cross='' openssl_target=linux-$(uname -m) arch_flags='' ;;
  *) die 2 "unknown ARCH '$1': want aarch64, armv7hf or host-static" ;;
  esac
  # no -g and no absolute path: two folders must give the same bytes
  cflags="-Os -g0 -fPIC -ffunction-sections -fdata-sections -fstack-protector-strong"
  cflags="$cflags -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -Wa,--noexecstack $arch_flags"
  export SOURCE_DATE_EPOCH=0
}

# write_pc NAME VERSION LIBS [REQUIRES]: found by pkg-config wherever the prefix is moved to.
write_pc() {
  cat >"$prefix/lib/pkgconfig/$1.pc" <<PC
prefix=\${pcfiledir}/../..
Name: $1
Description: $1, built static by tools/cross-deps.sh
Version: $2
Requires: ${4:-}
Cflags: -I\${prefix}/include
Libs: -L\${prefix}/lib $3
PC
}

# TLS: OpenSSL, because cameras carry it too, because libcurl hands its SSL_CTX to the program
# (certificates are verified at a time of our choosing while the clock is wrong), and because
# Debian maintains it. Left out: what no HTTPS client to a public CA needs.
build_openssl() {
  local off='shared module dso engine tests comp dtls ssl3 tls1 tls1_1 srp psk srtp nextprotoneg
    cms cmp ct ts rfc3779 legacy aria bf blake2 camellia cast des dsa gost idea md4 mdc2 rc2 rc4
    rmd160 seed siphash sm2 sm3 sm4 whirlpool scrypt ec2m ktls ui-console autoload-config'
  # shellcheck disable=SC2086,SC2046
  ./Configure "$openssl_target" ${cross:+--cross-compile-prefix=$cross} --prefix=/usr \
    --openssldir=/etc/ssl --libdir=lib $(printf 'no-%s ' $off) $cflags
  make -j2 build_generated
  make -j2 libcrypto.a libssl.a
  cp libcrypto.a libssl.a "$prefix/lib/"
  mkdir -p "$prefix/include/openssl"
  cp include/openssl/*.h "$prefix/include/openssl/"
  cp LICENSE.txt "$prefix/share/licenses/openssl"
  mkdir -p "$prefix/share/openssl"
  cp util/libcrypto.num util/libssl.num "$prefix/share/openssl/"
  write_pc libcrypto "$(upstream_version openssl)" '-lcrypto -pthread'
  write_pc libssl "$(upstream_version openssl)" -lssl libcrypto
}

build_curl() {
  local off='shared debug ares ftp file ldap ldaps rtsp dict telnet tftp pop3 imap smb smtp gopher
    mqtt manual cookies doh hsts alt-svc unix-sockets ntlm tls-srp netrc websockets
    libcurl-option sspi gssapi kerberos-auth negotiate-auth mime form-api ech'
  local without='zlib brotli zstd nghttp2 ngtcp2 nghttp3 libpsl libidn2 libssh2 libssh librtmp
    gssapi ca-path libgsasl hyper msh3'
  # Debian's patches touch configure's inputs only: do not regenerate it
  touch aclocal.m4 configure lib/curl_config.h.in
  find . -name Makefile.in -exec touch {} +
  # shellcheck disable=SC2086,SC2046
  ./configure ${cross:+--host=${cross%-}} --prefix=/usr --enable-static --enable-ipv6 \
    --enable-threaded-resolver --enable-symbol-hiding --enable-aws --with-openssl="$prefix" \
    --with-ca-bundle=/etc/ssl/certs/ca-certificates.crt $(printf -- '--disable-%s ' $off) \
    $(printf -- '--without-%s ' $without) CFLAGS="$cflags" \
    CPPFLAGS="-I$prefix/include" LDFLAGS="-L$prefix/lib" LIBS='-lssl -lcrypto -lpthread' \
    PKG_CONFIG=false
  make -j2 -C lib libcurl.la
  cp lib/.libs/libcurl.a "$prefix/lib/"
  mkdir -p "$prefix/include/curl"
  cp include/curl/*.h "$prefix/include/curl/"
  cp COPYING "$prefix/share/licenses/curl"
  write_pc libcurl "$(upstream_version curl)" '-lcurl -pthread' 'libssl libcrypto'
}

# Packing and, for the tests, unpacking; none of its file functions.
build_zlib() {
  local file
  for file in adler32 crc32 deflate inffast inflate inftrees trees zutil; do
    # shellcheck disable=SC2086
    "${cross}gcc" -std=c99 $cflags -D_LARGEFILE64_SOURCE=1 -c "$file.c" -o "$file.o"
  done
  "${cross}ar" rcD "$prefix/lib/libz.a" ./*.o
  cp zlib.h zconf.h "$prefix/include/"
  cp LICENSE "$prefix/share/licenses/zlib"
  write_pc zlib "$(upstream_version zlib)" -lz
}

build_cjson() {
  # shellcheck disable=SC2086
  "${cross}gcc" -std=c99 $cflags -c cJSON.c -o cJSON.o
  "${cross}ar" rcD "$prefix/lib/libcjson.a" cJSON.o
  mkdir -p "$prefix/include/cjson"
  cp cJSON.h "$prefix/include/cjson/"
  cp LICENSE "$prefix/share/licenses/cjson"
  write_pc libcjson "$(upstream_version cjson)" '-lcjson -lm'
}

# For the unit tests under an emulator; nothing of it goes into a package.
build_cmocka() {
  cmake -S . -B out -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_C_COMPILER="${cross}gcc" \
    -DCMAKE_C_FLAGS="$cflags" -DCMAKE_BUILD_TYPE=None -DBUILD_SHARED_LIBS=OFF \
    -DWITH_STATIC_LIB=ON -DWITH_EXAMPLES=OFF -DUNIT_TESTING=OFF
  cmake --build out
  cp "$(find out -name 'libcmocka*.a' | head -n 1)" "$prefix/lib/libcmocka.a"
  cp include/cmocka*.h "$prefix/include/"
  write_pc cmocka "$(upstream_version cmocka)" -lcmocka
}

# stub_library NAME SONAME SYMBOLS [VERSION_SCRIPT]: a shared object to link against, never to run.
stub_library() {
  local name=$1 soname=$2 symbols=$3 script=${4:-}
  sed 's/.*/void &(void); void &(void) {}/' "$symbols" >"$work/$name.c"
  "${cross}gcc" -shared -fPIC -nostdlib -w -fno-builtin -Wl,-soname,"$soname" \
    ${script:+-Wl,--version-script="$script"} -o "$prefix/device/lib/$soname" "$work/$name.c"
  ln -sf "$soname" "$prefix/device/lib/$name.so"
}

# A camera with AXIS OS 11.10 or later has libcurl.so.4 and OpenSSL 3 of its own. To link against
# them without the vendor's SDK, stubs with their names and symbol versions are enough. libcurl's
# stub has no symbol versions: such a program runs with a versioned library as well.
build_device_stubs() {
  local lib map
  mkdir -p "$prefix/device/lib/pkgconfig"
  cp -R "$prefix/include" "$prefix/device/"
  rm -rf "$prefix/device/include/cjson" "$prefix"/device/include/{cmocka*,zlib.h,zconf.h}
  "${cross}nm" --defined-only "$prefix/lib/libcurl.a" 2>/dev/null |
    awk '$2 == "T" && $3 ~ /^curl_/ { print $3 }' | sort -u >"$work/curl.symbols"
  stub_library libcurl libcurl.so.4 "$work/curl.symbols"
  for lib in libcrypto libssl; do
    map=$work/$lib.map
    awk '$4 ~ /^EXIST:[^:]*:FUNCTION/ { print $1 }' "$prefix/share/openssl/$lib.num" |
      sort -u >"$work/$lib.symbols"
    awk '$4 ~ /^EXIST:[^:]*:FUNCTION/ { gsub("_", ".", $3); v[$3] = v[$3] " " $1 ";" }
      END { for (i in v) print "OPENSSL_" i " { global:" v[i] " };" }' \
      "$prefix/share/openssl/$lib.num" >"$map"
    stub_library "$lib" "$lib.so.3" "$work/$lib.symbols" "$map"
  done
  rm -rf "$prefix/share/openssl"
  sed 's/ -pthread//; s/static/link stub/' "$prefix/lib/pkgconfig/libcurl.pc" \
    >"$prefix/device/lib/pkgconfig/libcurl.pc"
  cp "$prefix"/lib/pkgconfig/lib{ssl,crypto}.pc "$prefix/device/lib/pkgconfig/"
}
