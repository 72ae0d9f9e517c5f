#!/bin/sh
# Pesisir: tells the portal once a minute what each phone has used so far. Save it as
# /usr/lib/opennds/pesisir-counters.sh (mode 700) and add to root's crontab:
#   * * * * * /usr/lib/opennds/pesisir-counters.sh
pesisir_page=@{page | sh}
pesisir_key=@{secrets.portal | sh}

pesisir_hash() { printf '%s' "$1" | sha256sum | cut -c 1-64; }
pesisir_sign() { pesisir_hash "$pesisir_key:$(pesisir_hash "$pesisir_key:$1:$2")"; }

pesisir_call() { # VERB TEXT
  pesisir_url="$pesisir_page?auth_get=$1&payload=$2&tag=$(pesisir_sign "$1" "$2")"
  if command -v curl >/dev/null 2>&1; then curl -s -m 8 "$pesisir_url"
  elif command -v uclient-fetch >/dev/null 2>&1; then uclient-fetch -q -T 8 -O - "$pesisir_url" 2>/dev/null
  else wget -q -T 8 -t 1 -O - "$pesisir_url" 2>/dev/null; fi
}

now=$(date +%s)
ndsctl json | tr -d ' \t",' | awk -F: -v now="$now" '
  /^mac:/ { mac = $2 ":" $3 ":" $4 ":" $5 ":" $6 ":" $7 }
  /^session_start:/ { start = $2 }
  /^token:/ { token = $2 }
  /^state:/ { state = $2 }
  /^download_this_session:/ { down = $2 }
  /^upload_this_session:/ { if (state == "Authenticated") print mac "," down "," $2 "," start "," now "," token }
' | while read -r line; do pesisir_call counters "$line" >/dev/null; done
