#!/bin/bash
# usage: tools/lab/make-ca.sh DIR
#
# Makes a test CA (DIR/ca.pem) and a server certificate for localhost and 127.0.0.1
# (DIR/server.pem, DIR/server.key), valid for 10 days. For the lab only.
set -eu
repo=$(dirname "$(dirname "$(dirname "$(readlink -f "$0")")")")
# shellcheck source=tools/lib/common.sh
. "$repo/tools/lib/common.sh"

case ${1:-} in
  --help | -h)
    usage_of "$0"
    exit 0
    ;;
  '') die 2 "give the folder to write to (see --help)" ;;
esac
need lab openssl
mkdir -p "$1"
cd "$1"

key_args=(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes)
{
  openssl req -x509 "${key_args[@]}" -days 10 -subj '/CN=ntp_logger lab CA' \
    -addext 'basicConstraints=critical,CA:TRUE' \
    -addext 'keyUsage=critical,keyCertSign,cRLSign' -keyout ca.key -out ca.pem
  openssl req "${key_args[@]}" -subj '/CN=localhost' -keyout server.key -out server.csr
  printf '%s\n' 'subjectAltName=DNS:localhost,IP:127.0.0.1' 'extendedKeyUsage=serverAuth' \
    'basicConstraints=CA:FALSE' >extensions
  openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 10 \
    -extfile extensions -out server.pem
} 2>openssl.log || die 1 "openssl failed; see $PWD/openssl.log"
chmod 600 ca.key server.key
rm -f server.csr extensions ca.srl openssl.log
