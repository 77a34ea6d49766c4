#!/usr/bin/env bash
# Makes a certificate authority of its own, and certificates of it, for tests and for trying TLS out:
#
#   scripts/make_test_certificates.sh FOLDER
#
# FOLDER then holds, each NAME as NAME.crt and NAME.key (PEM):
#   ca            the authority; its folder `ca-dir` holds its certificate under a hashed name, for tls-ca-cert-dir
#   server        for localhost, 127.0.0.1 and ::1, as server and as client
#   client        for clients
#   other-name    as server, but for the name elsewhere.example
#   expired       as server, but its time is over
#   encrypted     as server; the key's passphrase is `secret`
#   other-ca      another authority; stranger is a certificate of it
# and dh.pem, Diffie-Hellman parameters. The keys are for tests alone: whoever can read FOLDER has them. All of it is good for
# ten years, so a FOLDER that is complete is left as it is.
set -euo pipefail

if [ $# -ne 1 ]; then
  echo "usage: scripts/make_test_certificates.sh FOLDER" >&2
  exit 2
fi
command -v openssl >/dev/null || { echo "make_test_certificates.sh: the program openssl is missing (Debian package openssl)" >&2; exit 1; }
mkdir -p "$1"
cd "$1"
[ -e complete ] && exit 0
umask 077
log="$(pwd)/openssl.log"
quietly() { "$@" >>"$log" 2>&1 || { cat "$log" >&2; echo "make_test_certificates.sh: this failed: $*" >&2; exit 1; }; }

new_key() { quietly openssl ecparam -name prime256v1 -genkey -noout -out "$1.key"; }

authority() { # NAME
  new_key "$1"
  quietly openssl req -x509 -new -sha256 -key "$1.key" -days 3650 -subj "/O=Vedette tests/CN=$1" -out "$1.crt" \
    -addext "basicConstraints=critical,CA:TRUE" -addext "keyUsage=critical,keyCertSign,cRLSign"
}

certificate() { # NAME AUTHORITY ALTERNATIVE_NAMES [FIRST_SECOND LAST_SECOND]
  local name=$1 authority=$2 names=$3
  [ -e "$name.key" ] || new_key "$name"
  quietly openssl req -new -sha256 -key "$name.key" -subj "/O=Vedette tests/CN=$name" -out "$name.csr"
  printf 'basicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth,clientAuth\nsubjectAltName=%s\n' "$names" >"$name.ext"
  # `openssl ca` alone lets both ends of the time be chosen.
  mkdir -p "$authority.db"
  : >>"$authority.db/index"
  printf '[ca]\ndefault_ca=d\n[d]\ndatabase=%s/index\nnew_certs_dir=%s\nrand_serial=yes\ndefault_md=sha256\npolicy=p\nunique_subject=no\n[p]\nO=optional\nCN=supplied\n' \
    "$authority.db" "$authority.db" >"$authority.db/config"
  local times=(-days 3650)
  [ $# -ge 5 ] && times=(-startdate "$4" -enddate "$5")
  quietly openssl ca -batch -notext -config "$authority.db/config" -cert "$authority.crt" -keyfile "$authority.key" -in "$name.csr" \
    -extfile "$name.ext" -out "$name.crt" "${times[@]}"
  rm -f "$name.csr" "$name.ext"
}

here="DNS:localhost,IP:127.0.0.1,IP:::1"
authority ca
authority other-ca
certificate server ca "$here"
certificate client ca "DNS:client"
certificate other-name ca "DNS:elsewhere.example"
certificate expired ca "$here" 20200101000000Z 20200201000000Z
certificate stranger other-ca "$here"
quietly openssl pkcs8 -topk8 -in server.key -passout pass:secret -out encrypted.key
cp server.crt encrypted.crt
mkdir -p ca-dir
cp ca.crt "ca-dir/$(openssl x509 -in ca.crt -noout -hash).0"
quietly openssl genpkey -genparam -algorithm DH -pkeyopt group:ffdhe2048 -out dh.pem
rm -rf ca.db other-ca.db "$log"
touch complete
