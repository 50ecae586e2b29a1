#!/bin/bash
# usage: eval "$(tools/lab/s3-start.sh [--dir DIR] [--bucket NAME])"
#
# Starts a real S3 server, Ceph's radosgw, on loopback: one monitor, one object store in memory,
# one gateway. No root, no systemd; everything lives in one folder. stdout holds only `export`
# lines (S3_LAB_DIR, S3_ENDPOINT, S3_ENDPOINT_HTTPS, S3_LAB_CA, AWS_*), progress goes to stderr.
# tools/lab/s3-stop.sh stops it and removes the folder.
#
#   --dir DIR      data folder, empty or absent (default: a new one under TMPDIR)
#   --bucket NAME  make this bucket, with versioning on
#   --help         this text
#
# Environment: S3_PORT and S3_TLS_PORT (default: free ports), S3_REGION (eu-north-1), S3_MEM_MB
# (size of the store, 2048).
set -eu
repo=$(dirname "$(dirname "$(dirname "$(readlink -f "$0")")")")
# shellcheck source=tools/lib/common.sh
. "$repo/tools/lib/common.sh"
PATH=$PATH:/usr/sbin:/sbin
python=/usr/bin/python3

# These keys open nothing but this store on loopback.
access_key=AKIAEXAMPLEEXAMPLE01
secret_key=examplesecretexamplesecretexamplesecret01

free_port() {
  $python -c 'import socket as s; k = s.socket(); k.bind(("127.0.0.1", 0)); print(k.getsockname()[1])'
}

write_config() {
  cat >"$dir/ceph.conf" <<CONF
[global]
fsid = $cluster_id
mon_host = [v2:127.0.0.1:$mon_port]
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
# only loopback, so no cephx keys; radosgw wants encrypted monitor links, which "none" cannot give
auth_cluster_required = none
auth_service_required = none
auth_client_required = none
ms_mon_client_mode = crc
run_dir = $dir/run
admin_socket = $dir/run/\$name.\$pid.asok
pid_file =
crash_dir = $dir/log
log_file = $dir/log/\$name.log
mon_cluster_log_file = $dir/log/cluster.log
# one copy on one store, one placement group for each pool
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 1
osd_pool_default_pgp_num = 1
osd_pool_default_pg_autoscale_mode = off
osd_crush_chooseleaf_type = 0
mon_allow_pool_size_one = true
mon_max_pg_per_osd = 1000
[mon]
mon_data = $dir/mon
# a lone monitor has nobody to wait for
paxos_propose_interval = 0.05
paxos_min_wait = 0.02
mon_data_avail_crit = 1
mon_data_avail_warn = 2
[osd]
osd_data = $dir/osd
osd_objectstore = memstore
osd_memory_target = 939524096
memstore_device_bytes = $((${S3_MEM_MB:-2048} * 1048576))
osd_class_load_list = *
osd_class_default_list = *
osd_fast_shutdown = true
osd_check_max_object_name_len_on_startup = false
[client]
rgw_data = $dir/rgw
rgw_rados_pool_pg_num_min = 1
rgw_frontends = beast endpoint=127.0.0.1:$port ssl_endpoint=127.0.0.1:$tls_port ssl_certificate=$dir/tls/server.pem ssl_private_key=$dir/tls/server.key
rgw_enable_apis = s3
rgw_enable_usage_log = false
rgw_enable_ops_log = false
rgw_override_bucket_index_max_shards = 1
rgw_dynamic_resharding = false
rgw_enable_lc_threads = false
rgw_enable_quota_threads = false
rgw_run_sync_thread = false
rgw_thread_pool_size = 64
rgw_verify_ssl = false
debug_rgw = 1
CONF
}

# step NAME COMMAND...: runs it with its output in log/NAME; stops the script when it fails.
step() {
  local name=$1
  shift
  timeout 60 "$@" >"$dir/log/$name" 2>&1 || die 1 "'$1' failed (step $name); see $dir/log"
}

# daemon NAME COMMAND...: starts it in a session of its own and notes its pid.
daemon() {
  local name=$1
  shift
  setsid "$@" >"$dir/log/$name.out" 2>&1 </dev/null &
  echo $! >"$dir/$name.pid"
}

start_store() {
  step monmap monmaptool --create --fsid "$cluster_id" --addv a "[v2:127.0.0.1:$mon_port]" \
    "$dir/monmap"
  step mkfs-mon ceph-mon --mkfs -i a --monmap "$dir/monmap"
  daemon mon ceph-mon -f -i a
  step mkfs-osd ceph-osd --mkfs -i 0 --osd-uuid "$(cat /proc/sys/kernel/random/uuid)"
  step osd-new ceph osd new "$(cat "$dir/osd/fsid")" 0
  daemon osd ceph-osd -f -i 0
}

start_gateway() {
  # the user and the region's name come first: this creates the pools, too
  step user radosgw-admin user create --uid=demo --display-name=demo \
    --access-key="$access_key" --secret-key="$secret_key"
  step region radosgw-admin zonegroup modify --rgw-zonegroup=default --api-name="$region"
  daemon rgw radosgw -f -n client.rgw --rgw_zonegroup=default
  for _ in $(seq 600); do
    ! curl -s -o /dev/null --noproxy '*' "http://127.0.0.1:$port/" || return 0
    kill -0 "$(cat "$dir/rgw.pid")" 2>/dev/null || die 1 "radosgw died; see $dir/log"
    sleep 0.1
  done
  die 1 "radosgw did not answer within 60 s; see $dir/log"
}

make_bucket() {
  AWS_ACCESS_KEY_ID=$access_key AWS_SECRET_ACCESS_KEY=$secret_key AWS_DEFAULT_REGION=$region \
    step bucket $python - "http://127.0.0.1:$port" "$1" <<'PY'
import sys
import boto3
endpoint, bucket = sys.argv[1:]
s3 = boto3.client("s3", endpoint_url=endpoint)
s3.create_bucket(Bucket=bucket)
s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
PY
}

# An interrupted or failed start leaves no daemon behind; its folder stays, for the logs.
ready=
stop_unless_ready() {
  local name
  [ -z "$ready" ] || return 0
  for name in rgw osd mon; do
    [ ! -f "$dir/$name.pid" ] || kill "$(cat "$dir/$name.pid")" 2>/dev/null || true
  done
}

dir=
bucket=
while [ $# -gt 0 ]; do
  case $1 in
    --help | -h)
      usage_of "$0"
      exit 0
      ;;
    --dir | --bucket)
      [ $# -ge 2 ] || die 2 "$1 needs a value"
      if [ "$1" = --dir ]; then dir=$2; else bucket=$2; fi
      shift 2
      ;;
    *) die 2 "unknown argument '$1' (see --help)" ;;
  esac
done
need lab ceph ceph-mon ceph-osd monmaptool radosgw radosgw-admin openssl curl setsid timeout $python
dir=${dir:-$(mktemp -d "${TMPDIR:-/tmp}/ntp_logger-s3.XXXXXX")}
mkdir -p "$dir"
dir=$(readlink -f "$dir")
[ -z "$(ls -A "$dir")" ] || die 2 "'$dir' is not empty; give an empty or new folder"
mkdir "$dir"/mon "$dir"/osd "$dir"/rgw "$dir"/run "$dir"/log
port=${S3_PORT:-$(free_port)}
tls_port=${S3_TLS_PORT:-$(free_port)}
mon_port=$(free_port)
region=${S3_REGION:-eu-north-1}
cluster_id=$(cat /proc/sys/kernel/random/uuid)
begun=$(now_ms)
trap stop_unless_ready EXIT
trap 'exit 130' INT TERM

"$repo/tools/lab/make-ca.sh" "$dir/tls"
write_config
export CEPH_CONF=$dir/ceph.conf CEPH_ARGS="--conf $dir/ceph.conf"
start_store
start_gateway
[ -z "$bucket" ] || make_bucket "$bucket"
ready=1
say "radosgw ready after $(since_s "$begun") s on port $port; data in $dir"
cat <<VARS
export S3_LAB_DIR=$dir
export S3_ENDPOINT=http://127.0.0.1:$port
export S3_ENDPOINT_HTTPS=https://localhost:$tls_port
export S3_LAB_CA=$dir/tls/ca.pem
export AWS_ACCESS_KEY_ID=$access_key
export AWS_SECRET_ACCESS_KEY=$secret_key
export AWS_DEFAULT_REGION=$region
VARS
