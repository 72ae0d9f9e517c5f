#!/bin/sh
# Say which groups of tests did not run under `make test`, and how to get them.
lack() { command -v "$1" >/dev/null 2>&1 || printf ' %s' "$2"; }
missing="$(lack opennds opennds)$(lack chromium chromium)$(lack dnsmasq dnsmasq)$(lack udhcpc udhcpc)"
missing="$missing$(lack radclient freeradius-utils)$(lack pamtester pamtester)$(lack faketime faketime)"
missing="$missing$(lack hostapd hostapd)$(lack wpa_supplicant wpasupplicant)$(lack charon-systemd charon-systemd)$(lack swanctl strongswan-swanctl)"
cat <<END

Not run here, by design of \`make test\`:
  lab   real routers and clients in network namespaces: openNDS and Chromium, hostapd, strongSwan, radclient,
        libpam-radius-auth; a full disk, clocks that are set, restarts under load
  long  what takes minutes: the node killed again and again, long histories, large storms
\`make test-all\` runs them too, on Debian 12 or newer, as root.
END
[ -z "$missing" ] || echo "It first installs what is missing here:$missing"
[ "$(id -u)" = 0 ] || echo "You are not root: sudo make test-all"
