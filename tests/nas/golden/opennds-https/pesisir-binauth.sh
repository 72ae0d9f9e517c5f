#!/bin/sh
# Asks the portal whether a phone may go online and within which limits, and reports what it has used.
# openNDS 9: save it as /usr/lib/opennds/pesisir-binauth.sh (mode 700); the option `binauth` names it.
# openNDS 10.1 or newer: save it as /usr/lib/opennds/custombinauth.sh, which openNDS's own script reads in.
# Usage every minute, by root's crontab:   * * * * * sh /usr/lib/opennds/pesisir-binauth.sh counters
# What the phone sends (`custom`) is never believed; every call and answer is signed with the FAS key.
pesisir_page='https://portal.bontang.example/hotspot/gusung-1'
pesisir_key='portalsecretportalsecretportalse'
pesisir_spool=/tmp/pesisir-reports

pesisir_hash() { printf '%s' "$1" | sha256sum | cut -c 1-64; }
pesisir_sign() { pesisir_hash "$pesisir_key:$(pesisir_hash "$pesisir_key:$1:$2")"; }

pesisir_call() { # VERB TEXT
  pesisir_url="$pesisir_page?auth_get=$1&payload=$2&tag=$(pesisir_sign "$1" "$2")"
  if command -v curl >/dev/null 2>&1; then curl -s -m 8 "$pesisir_url"
  elif command -v uclient-fetch >/dev/null 2>&1; then uclient-fetch -q -T 8 -O - "$pesisir_url" 2>/dev/null
  else wget -q -T 8 -t 1 -O - "$pesisir_url" 2>/dev/null; fi
}

pesisir_admit() { # MAC TOKEN: prints SECONDS UP DOWN UPQUOTA DOWNQUOTA, fails if the portal does not say yes
  pesisir_answer=$(pesisir_call binauth "$1,$2")
  pesisir_limits=${pesisir_answer% *}
  [ "${pesisir_answer##* }" = "$(pesisir_sign admit "$1,$2:$pesisir_limits")" ] && printf '%s' "$pesisir_limits"
}

pesisir_send() { # every report that the portal has not acknowledged yet; one sender at a time
  if ! mkdir "$pesisir_spool/sending" 2>/dev/null; then
    kill -0 "$(cat "$pesisir_spool/sending/pid" 2>/dev/null)" 2>/dev/null && return 0
  fi
  sh -c 'echo $PPID' >"$pesisir_spool/sending/pid"
  for pesisir_file in "$pesisir_spool"/*.report; do
    [ -e "$pesisir_file" ] || break
    [ "$(pesisir_call departed "$(cat "$pesisir_file")")" = ack ] || break
    rm -f "$pesisir_file"
  done
  rm -rf "$pesisir_spool/sending"
}

pesisir_report() { # METHOD MAC INCOMING OUTGOING START END TOKEN: kept until the portal has it
  mkdir -p "$pesisir_spool"
  [ "$(ls "$pesisir_spool" | wc -l)" -gt 1000 ] || printf '%s' "$1,$2,$3,$4,$5,$6,$7" >"$pesisir_spool/$5-$7.report"
  pesisir_send >/dev/null 2>&1 </dev/null &
}

pesisir_counters() { # what each phone has used so far, and reports that could not be sent before
  ndsctl json | tr -d ' \t",' | awk -F: -v now="$(date +%s)" '
    /^mac:/ { mac = $2 ":" $3 ":" $4 ":" $5 ":" $6 ":" $7 }
    /^session_start:/ { start = $2 }
    /^token:/ { token = $2 }
    /^state:/ { state = $2 }
    /^download_this_session:/ { down = $2 }
    /^upload_this_session:/ { if (state == "Authenticated") print mac "," down "," $2 "," start "," now "," token }
  ' | while read -r pesisir_line; do
    pesisir_said=$(pesisir_call counters "$pesisir_line" </dev/null)
    case "$pesisir_said" in "cut "*) # the phone's session is to end: signed with the very counters that it answers
      [ "$pesisir_said" != "cut $(pesisir_sign cut "$pesisir_line")" ] || ndsctl deauth "${pesisir_line%%,*}" >/dev/null </dev/null ;;
    esac
  done
  [ ! -d "$pesisir_spool" ] || pesisir_send
}

case "${1:-}" in
  auth_client)
    # openNDS lets a phone in when the script fails; it keeps it out when the script succeeds and says nothing
    pesisir_limits=$(pesisir_admit "$2" "$6") || exit 0
    read -r session_length upload_rate download_rate upload_quota download_quota <<END
$pesisir_limits
END
    ;;
  counters) pesisir_counters ;;
  *_deauth) pesisir_report "$1" "$2" "$3" "$4" "$5" "$6" "$7" ;;
esac

case "${0##*/}" in
  pesisir-binauth.sh)
    [ "${1:-}" != auth_client ] || echo "$session_length $upload_rate $download_rate $upload_quota $download_quota"
    exit 0 ;;
esac
