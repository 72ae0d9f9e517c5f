#!/bin/sh
# Queues of @{title}: fair among hosts@{", classes and sites" if head else ""}, for Linux (Debian, OpenWrt). Made by Pesisir; run as root:
#   pesisir-queues start    put them on, or change them to these; run again it changes nothing
#   pesisir-queues check    try all of it on an interface of its own, and leave everything as it is
#   pesisir-queues status   what was chosen, and what each queue has carried
#   pesisir-queues stop     take them off
# LAN is the port towards @{"the sites" if head else "the phones"}, where what goes down waits; what comes up is led through an interface UP
# of its own. WAY is cake, fq_codel or htb (a queue for each host); unset, it is what this kernel has.
set -u
LAN="${LAN:-@{interface}}"
UP="${UP:-$(printf 'up-%.12s' "$LAN")}"
WAY="${WAY:-}"
STATE="${STATE:-/var/run/pesisir-queues/$LAN}"
H=9e5 # the handle by which these queues know themselves
TRY="psq$$"

say() { echo "pesisir-queues: $*" >&2; }
fail() {
  say "$*"
  exit 1
}

# ---- the queues, one line each; docs/fair-share.md says what the numbers mean
@@ for tree in trees
tree_@{tree.way}() {
  root @{tree.capacity_bps} @{burst(tree.capacity_bps)} @{tree.rest_bps} @{fifo(tree.capacity_bps)}
@@ for class in tree.classes
  # @{class.key}
  class @{hex(class.number)} @{class.floor_bps} @{class.ceiling_bps} @{burst(class.floor_bps)} @{burst(class.ceiling_bps)}
@@ for site in class.sites
  # @{site.name}
  site @{hex(class.number)} @{hex(site.number)} @{site.ceiling_bps} @{burst(site.ceiling_bps)} @{site.quantum} @{site.hosts} @{site.host_bps} @{class.host_quantum} @{fifo(site.ceiling_bps)}
@@ endfor
@@ endfor
@@ for line in matches(tree)
  @{line}
@@ endfor
}
@@ endfor

numbers() { # what `pesisir uplink apply` needs to know of them
  cat <<END
@@ for key, number in numbers
@{key} @{hex(number)}
@@ endfor
END
}

# ---- what a line becomes for tc; `dev` is where, `key` and `far` are the hosts' side and the other (dst or src)
rate() { echo "htb rate ${1}bit ceil ${2}bit burst ${3} cburst ${4}"; }

root() { # CAPACITY BURST REST FIFO
  next=@{first_host}
  echo "qdisc add dev $dev root handle $H: htb default @{rest}"
  echo "class add dev $dev parent $H: classid $H:1 $(rate "$1" "$1" "$2" "$2") quantum @{mtu}"
  echo "class add dev $dev parent $H:1 classid $H:@{rest} $(rate "$3" "$1" "$2" "$2") quantum @{mtu}"
  echo "qdisc add dev $dev parent $H:@{rest} handle @{rest}: bfifo limit $4"
}

class() { # NUMBER FLOOR CEILING BURST CBURST
  echo "class add dev $dev parent $H:1 classid $H:$1 $(rate "$2" "$3" "$4" "$5") quantum @{mtu}"
}

site() { # CLASS NUMBER CEILING BURST QUANTUM HOSTS HOST-RATE HOST-QUANTUM FIFO
  echo "class add dev $dev parent $H:$1 classid $H:$2 $(rate @{least_bps} "$3" "$4" "$4") quantum $5"
  case "$WAY" in
    cake) echo "qdisc add dev $dev parent $H:$2 handle $2: cake unlimited besteffort dual-${key}host" ;;
    fq_codel)
      echo "qdisc add dev $dev parent $H:$2 handle $2: fq_codel"
      echo "filter add dev $dev parent $2: protocol all handle 1 flow hash keys $key divisor 1024"
      ;;
    htb) hosts "$@" ;;
  esac
}

hosts() { # as above: a class for each host, by the last bits of its address; printf starts no process
  echo "filter add dev $dev parent $H: protocol ip prio 10 handle $2: u32 divisor $6"
  class="class add dev $dev parent $H:$2 classid $H:%x $(rate "$7" "$3" @{page} "$4") quantum $8"
  qdisc="qdisc add dev $dev parent $H:%x handle %x: bfifo limit $9"
  filter="filter add dev $dev parent $H: protocol ip prio 10 u32 ht $2:%x: match u32 0 0 flowid $H:%x"
  host=0
  while [ "$host" -lt "$6" ]; do
    printf "$class\n$qdisc\n$filter\n" "$next" "$next" "$next" "$host" "$next"
    next=$((next + 1)) host=$((host + 1))
  done
}

match() { # PRIORITY VERSION SITE HOSTS WHAT: for each packet that is WHAT, its site, or its host there
  case "$2$key" in 4dst) at=16 ;; 4src) at=12 ;; 6dst) at=36 ;; 6src) at=20 ;; esac
  case "$2" in 4) protocol=ip ;; 6) protocol=ipv6 ;; esac
  to="flowid $H:$3"
  [ "$WAY" != htb ] || to="hashkey mask 0x$(printf %x $(($4 - 1))) at $at link $3:"
  echo "filter add dev $dev parent $H: protocol $protocol prio $1 u32 $5 $to"
}

near() { match "$1" "$2" "$3" "$4" "match $5 $key $6"; }
far() { match "$1" "$2" "$3" "$4" "match $5 $far $6"; }
marked() { match "$1" "$2" "$3" "$4" "match $5 $6 0xfc"; }

build() { # DEVICE down|up
  dev=$1
  case "$2" in down) key=dst far=src ;; up) key=src far=dst ;; esac
  "tree_$2"
}

lead() { # DEVICE TO: what comes in there goes through TO first
  tc filter add dev "$1" ingress protocol ip prio 49151 u32 match u32 0 0 action mirred egress redirect dev "$2" &&
    tc filter add dev "$1" ingress protocol ipv6 prio 49152 u32 match u32 0 0 action mirred egress redirect dev "$2"
}

# ---- this machine
there() { ip link show dev "$1" >/dev/null 2>&1; }
root_of() { tc qdisc show dev "$1" 2>/dev/null | sed -n 's/^qdisc \([^ ]*\) \([^ ]*\) root.*/\1 \2/p' | head -n 1; }
is_ours() { [ "$(root_of "$1")" = "htb $H:" ]; }
has_ingress() { tc qdisc show dev "$1" | grep -Eq '^qdisc (ingress|clsact) '; }
is_led() { tc filter show dev "$LAN" ingress 2>/dev/null | grep -qF "Redirect to device $UP)"; }
quiet() { "$@" >/dev/null 2>&1; }

can_cake() { quiet tc qdisc add dev "$TRY" root cake unlimited besteffort dual-dsthost && tc qdisc del dev "$TRY" root; }
can_fq_codel() {
  quiet tc qdisc add dev "$TRY" root handle 1: fq_codel || return 1
  quiet tc filter add dev "$TRY" parent 1: protocol all handle 1 flow hash keys dst divisor 1024
  found=$?
  tc qdisc del dev "$TRY" root
  return "$found"
}

choose() { # cake holds a megabyte or more for each site and direction: not where there are many
  case "$WAY" in
    cake) can_cake || fail "WAY=cake: this kernel has no cake" ;;
    fq_codel) can_fq_codel || fail "WAY=fq_codel: this kernel has no fq_codel, or no flow filter" ;;
    htb) ;;
    "")
      if [ @{leaves} -le @{most_cakes} ] && can_cake; then
        WAY=cake
      elif can_fq_codel; then
        WAY=fq_codel
      else
        WAY=htb
      fi
      ;;
    *) fail "WAY is $WAY, not cake, fq_codel or htb" ;;
  esac
}

probe() { # an interface that carries nothing, the way that this kernel has, and what it would be told
  ip link add "$TRY" type ifb 2>"$STATE/why" && ip link set "$TRY" up 2>"$STATE/why" ||
    fail "no ifb interface in this kernel ($(cat "$STATE/why")): install kmod-ifb, or modprobe ifb"
  quiet tc qdisc add dev "$TRY" root handle "$H:" htb && tc qdisc del dev "$TRY" root ||
    fail "no HTB in this kernel: install kmod-sched-core, or modprobe sch_htb"
  choose
  mkdir -p "$STATE/new" "$STATE/on"
  build "$LAN" down >"$STATE/new/down"
  build "$UP" up >"$STATE/new/up"
}

rehearse() { # everything once on that interface: what works there works on LAN
  for way in down up; do
    sed "s/ dev [^ ]* / dev $TRY /" "$STATE/new/$way" >"$STATE/try"
    tc -batch "$STATE/try" 2>"$STATE/why" || fail "these queues do not work here: $(reason "$STATE/try")"
    tc qdisc del dev "$TRY" root
  done
  tc qdisc add dev "$TRY" ingress 2>"$STATE/why" && lead "$TRY" "$LAN" 2>"$STATE/why" ||
    fail "what comes in cannot be led elsewhere here ($(tail -n 1 "$STATE/why")): modprobe act_mirred cls_u32 sch_ingress"
  ip link del "$TRY"
}

reason() { # FILE: the last words of tc, and the line that it did not take
  line=$(sed -n 's/^Command failed .*:\([0-9]*\)$/\1/p' "$STATE/why" | head -n 1)
  echo "$(grep -v '^Command failed' "$STATE/why" | tail -n 1) at: $(sed -n "${line:-1}p" "$1")"
}

demand_root() {
  [ "$(id -u)" = 0 ] || fail "run it as root"
  command -v tc >/dev/null && command -v ip >/dev/null || fail "tc and ip are not here: install iproute2 (OpenWrt: tc-tiny, ip-tiny)"
}

prepare() {
  demand_root
  there "$LAN" || fail "there is no interface $LAN: say LAN=... $0"
  mkdir -p "$STATE"
  if command -v flock >/dev/null; then
    exec 9>"$STATE/lock"
    flock 9
  fi
  trap 'quiet ip link del "$TRY"' EXIT
  trap 'exit 1' INT TERM HUP
  for one in "$LAN" "$UP"; do
    case "$(root_of "$one")" in
      "" | *" 0:" | "htb $H:") ;;
      *) fail "$one has queues of somebody else ($(root_of "$one")): first tc qdisc del dev $one root" ;;
    esac
  done
  probe
}

put_on() { # FOLDER: the queues that were written there
  if ! there "$UP"; then
    ip link add "$UP" type ifb || return 1
    : >"$STATE/up"
  fi
  ip link set "$UP" up || return 1
  take_off_trees
  tc -batch "$1/up" && tc -batch "$1/down" || return 1
  if ! has_ingress "$LAN"; then
    tc qdisc add dev "$LAN" ingress || return 1
    : >"$STATE/ingress"
  fi
  is_led || lead "$LAN" "$UP"
}

take_off_trees() {
  for one in "$LAN" "$UP"; do
    ! is_ours "$one" || tc qdisc del dev "$one" root
  done
}

take_off() {
  for priority in 49151 49152; do
    ! is_led || quiet tc filter del dev "$LAN" ingress prio "$priority"
  done
  if [ -e "$STATE/ingress" ]; then
    quiet tc qdisc del dev "$LAN" ingress
    rm -f "$STATE/ingress"
  fi
  take_off_trees
  if [ -e "$STATE/up" ]; then
    quiet ip link del "$UP"
    rm -f "$STATE/up"
  fi
}

start() {
  prepare
  if is_ours "$LAN" && is_ours "$UP" && is_led && cmp -s "$STATE/new/down" "$STATE/on/down" && cmp -s "$STATE/new/up" "$STATE/on/up"; then
    say "$LAN: these queues are on already ($WAY)"
    return
  fi
  rehearse
  if ! put_on "$STATE/new" 2>"$STATE/why"; then
    why=$(grep -v '^Command failed' "$STATE/why" | tail -n 1)
    take_off
    [ -s "$STATE/on/down" ] || fail "could not put them on $LAN: $why; it is as it was"
    put_on "$STATE/on" || fail "could not put them on $LAN: $why; and those of before are off as well"
    fail "could not put them on $LAN: $why; those of before are on again"
  fi
  mv "$STATE/new/down" "$STATE/new/up" "$STATE/on"
  numbers >"$STATE/numbers"
  echo "$WAY" >"$STATE/way"
  say "$LAN: $WAY, @{summary}"
  flowtables
}

flowtables() {
  ! nft list flowtables 2>/dev/null | grep -q . || say "warning: this router offloads flows past every queue; switch flow offloading off"
}

stop() {
  demand_root
  take_off
  for one in on/down on/up new/down new/up try why numbers way lock; do rm -f "$STATE/$one"; done
  for one in "$STATE/on" "$STATE/new" "$STATE"; do [ ! -d "$one" ] || rmdir "$one"; done
  say "$LAN: no queues"
}

status() {
  is_ours "$LAN" || fail "$LAN has none of these queues"
  echo "$LAN $(cat "$STATE/way" 2>/dev/null), up through $UP"
  numbers | while read -r key number; do
    for one in "$LAN" "$UP"; do
      echo "$one $key $(tc -s class show dev "$one" classid "$H:$number" | tr -s ' \n' ' ')"
    done
  done
}

case "${1:-}" in
  start) start ;;
  check) prepare && rehearse && say "$LAN: all of it would work here ($WAY)" ;;
  stop) stop ;;
  status) status ;;
  print) for way in down up; do build "$([ "$way" = down ] && echo "$LAN" || echo "$UP")" "$way"; done ;;
  *) fail "say start, check, status or stop" ;;
esac
