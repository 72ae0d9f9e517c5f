#!/bin/sh
# Install what the lab needs and this machine lacks, from Debian; or the packages that are named, and no others.
# Quiet; does nothing when everything is there.
set -eu
packages="iproute2 iptables ipset nftables ethtool procps util-linux curl openssl dnsmasq-base udhcpc
opennds php-cli chromium fonts-liberation freeradius-utils freeradius freeradius-postgresql postgresql libpam-radius-auth pamtester hostapd eapoltest
wpasupplicant charon-systemd strongswan-swanctl libcharon-extra-plugins libstrongswan-standard-plugins faketime"
[ $# = 0 ] || packages="$*"

if ! command -v apt-get >/dev/null 2>&1; then
  echo "tests/lab: this is no Debian; install by hand: $packages" >&2
  exit 1
fi
missing=""
for package in $packages; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" != 0 ]; then
  echo "tests/lab: as root:  apt-get install --no-install-recommends$missing" >&2
  exit 1
fi
echo "tests/lab: installing$missing"
export DEBIAN_FRONTEND=noninteractive
# A package's service must not start by itself: the tests start their own, in namespaces.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
  trap 'rm -f "$policy"' EXIT
fi
log=$(mktemp)
if ! { apt-get -qq update && apt-get -qq -y install --no-install-recommends $missing; } >"$log" 2>&1; then
  tail -20 "$log" >&2
  rm -f "$log"
  exit 1
fi
rm -f "$log"
