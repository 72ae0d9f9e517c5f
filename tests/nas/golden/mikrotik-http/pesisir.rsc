# Hotspot of gusung-1 for RouterOS 7.10 or newer. Put the name of the phones' bridge or port in the line `:local lan`,
# upload the file and run:  /import pesisir.rsc    It may be run again at any time: nothing is made twice.
{
:local lan "bridge-hotspot"
:local gateway "10.5.50.1"
:local network "10.5.50.0/24"
:local pool "10.5.50.10-10.5.50.254"
:local mark "pesisir"

:if ([:len [/interface find name=$lan]] = 0) do={ /interface bridge add name=$lan protocol-mode=rstp comment=$mark }
:local dir "pesisir"
:if ([:len [/file find name="flash"]] > 0) do={ :set dir "flash/pesisir" }

# Name and clock: the name is this router's NAS-Identifier, and two routers must never share one
/system identity set name="gusung-1"
/system clock set time-zone-name="Asia/Makassar"
/system ntp client set enabled=yes
:foreach server in={"id.pool.ntp.org";"time.cloudflare.com"} do={
  :if ([:len [/system ntp client servers find address=$server]] = 0) do={ /system ntp client servers add address=$server }
}

# RADIUS: RouterOS would try again after 300 ms; three seconds leave the server time for its disk
/radius remove [find comment=$mark]
/radius add service=hotspot address=[:resolve "radius.bontang.example"] secret="radiussecretradiussecretradiusse" authentication-port=1812 accounting-port=1813 timeout=3s comment=$mark
/radius incoming set accept=yes port=3799

# Addresses of the phones
:if ([:len [/ip address find interface=$lan]] = 0) do={ /ip address add address="$gateway/24" interface=$lan comment=$mark }
:if ([:len [/ip pool find name=$mark]] = 0) do={ /ip pool add name=$mark ranges=$pool }
:if ([:len [/ip dhcp-server find interface=$lan]] = 0) do={ /ip dhcp-server add name=$mark interface=$lan address-pool=$mark disabled=no }
/ip dhcp-server set [find interface=$lan] lease-time=1h
:if ([:len [/ip dhcp-server network find address=$network]] = 0) do={ /ip dhcp-server network add address=$network gateway=$gateway comment=$mark }
/ip dhcp-server network set [find address=$network] dns-server=$gateway ntp-server=$gateway
:do { /system ntp server set enabled=yes } on-error={ :log warning "pesisir: this RouterOS serves no NTP" }
:if ([:len [/ip firewall nat find comment=$mark]] = 0) do={ /ip firewall nat add chain=srcnat src-address=$network action=masquerade comment=$mark }

# DNS: only this router's resolver, and a phone that is not logged in may ask 20 names a second, not carry a tunnel
/ip dns set allow-remote-requests=yes
/ip firewall filter remove [find comment=$mark]
/ip firewall filter add chain=pre-hs-input hotspot=!auth protocol=udp dst-port=53,64872 dst-limit=20,40,src-address/1m action=return comment=$mark
/ip firewall filter add chain=pre-hs-input hotspot=!auth protocol=udp dst-port=53,64872 action=drop comment=$mark
/ip firewall filter add chain=forward in-interface=$lan hotspot=!auth protocol=udp dst-port=53,853 action=drop comment=$mark

# FastTrack passes by the queues, so every rate would silently be none
:foreach rule in=[/ip firewall filter find action=fasttrack-connection dynamic=no disabled=no] do={
  /ip firewall filter disable $rule
  :log warning "pesisir: FastTrack is off, it would pass by every rate limit"
}

# The hotspot knows IPv4 only: with IPv6 phones would go past it
:do {
  :log warning "pesisir: IPv6 router advertisements are off on every interface"
  /ipv6 nd set [find interface=all] disabled=yes
  /ipv6 nd remove [find interface=$lan]
  /ipv6 firewall filter remove [find comment=$mark]
  /ipv6 firewall filter add chain=forward in-interface=$lan action=drop comment=$mark
} on-error={ :log info "pesisir: no IPv6 on this router" }

# Hotspot: no cookies (they replay a dead ticket), MAC authentication with this router's own secret for phones that come back
:if ([:len [/ip hotspot profile find name=$mark]] = 0) do={ /ip hotspot profile add name=$mark }
/ip hotspot profile set [find name=$mark] hotspot-address=$gateway dns-name="" html-directory=$dir login-by=mac,http-chap,http-pap mac-auth-mode=mac-as-username mac-auth-password="macsecretmacsecret" use-radius=yes radius-accounting=yes radius-interim-update=received radius-mac-format=XX:XX:XX:XX:XX:XX radius-default-domain="" nas-port-type=wireless-802.11
/ip hotspot user profile set [find default=yes] shared-users=unlimited add-mac-cookie=no idle-timeout=none keepalive-timeout=2m status-autorefresh=1m transparent-proxy=no
:if ([:len [/ip hotspot find interface=$lan]] = 0) do={ /ip hotspot add name=$mark interface=$lan profile=$mark address-pool=$mark disabled=no }
/ip hotspot set [find interface=$lan] profile=$mark addresses-per-mac=2 idle-timeout=15m keepalive-timeout=2m login-timeout=5m
:if ([:len [/ip hotspot user find where name!="default-trial"]] > 0) do={ :log warning "pesisir: local hotspot users are asked before RADIUS: remove them" }

# Before the login: exactly these hosts, and the clocks that phones need to check a certificate
/ip hotspot walled-garden ip remove [find comment=$mark]
/ip hotspot walled-garden ip add action=accept protocol=tcp dst-port=8080 dst-address=192.0.2.10 comment=$mark
/ip hotspot walled-garden ip add action=accept protocol=udp dst-port=123 dst-host="time.android.com" comment=$mark
/ip hotspot walled-garden ip add action=accept protocol=udp dst-port=123 dst-host="time.apple.com" comment=$mark
/ip hotspot walled-garden ip add action=accept protocol=udp dst-port=123 dst-host="time.windows.com" comment=$mark
# Pages: every one leads to the portal
:if ([:len [/file find name=$dir]] = 0) do={ /file add name=$dir type=directory }
:local page do={
  :if ([:len [/file find name=$path]] = 0) do={ /file add name=$path }
  /file set [find name=$path] contents=$text
}
$page path="$dir/login.html" text="\$(if http-status == 302)Hotspot\$(endif)\n\$(if http-header == \"Location\")http://192.0.2.10:8080/hotspot/gusung-1\?page=login&mac=\$(mac-esc)&ip=\$(ip)&link-login-only=\$(link-login-only)&link-orig=\$(link-orig-esc)\$(if chap-id)&chap-id=\$(chap-id)&chap-challenge=\$(chap-challenge)\$(endif)\$(if error)&error=\$(error)\$(endif)\$(endif)\n<!doctype html><html><head><meta http-equiv=\"refresh\" content=\"0; url=http://192.0.2.10:8080/hotspot/gusung-1\?page=login&mac=\$(mac-esc)&ip=\$(ip)&link-login-only=\$(link-login-only)&link-orig=\$(link-orig-esc)\$(if chap-id)&chap-id=\$(chap-id)&chap-challenge=\$(chap-challenge)\$(endif)\$(if error)&error=\$(error)\$(endif)\"><meta http-equiv=\"pragma\" content=\"no-cache\"></head><body><p><a href=\"http://192.0.2.10:8080/hotspot/gusung-1\?page=login&mac=\$(mac-esc)&ip=\$(ip)&link-login-only=\$(link-login-only)&link-orig=\$(link-orig-esc)\$(if chap-id)&chap-id=\$(chap-id)&chap-challenge=\$(chap-challenge)\$(endif)\$(if error)&error=\$(error)\$(endif)\">Lanjutkan / Continue</a></p></body></html>\n"
$page path="$dir/redirect.html" text="\$(if http-status == 302)Hotspot\$(endif)\n\$(if http-header == \"Location\")\$(link-redirect)\$(endif)\n<!doctype html><html><head><meta http-equiv=\"refresh\" content=\"0; url=\$(link-redirect)\"><meta http-equiv=\"pragma\" content=\"no-cache\"></head><body><p><a href=\"\$(link-redirect)\">Lanjutkan / Continue</a></p></body></html>\n"
$page path="$dir/rlogin.html" text="\$(if http-status == 302)Hotspot\$(endif)\n\$(if http-header == \"Location\")\$(link-redirect)\$(endif)\n<!doctype html><html><head><meta http-equiv=\"refresh\" content=\"0; url=\$(link-redirect)\"><meta http-equiv=\"pragma\" content=\"no-cache\"></head><body><p><a href=\"\$(link-redirect)\">Lanjutkan / Continue</a></p></body></html>\n"
$page path="$dir/alogin.html" text="\$(if http-status == 302)Hotspot\$(endif)\n\$(if http-header == \"Location\")\$(link-redirect)\$(endif)\n<!doctype html><html><head><meta http-equiv=\"refresh\" content=\"0; url=\$(link-redirect)\"><meta http-equiv=\"pragma\" content=\"no-cache\"></head><body><p><a href=\"\$(link-redirect)\">Lanjutkan / Continue</a></p></body></html>\n"
$page path="$dir/radvert.html" text="\$(if http-status == 302)Hotspot\$(endif)\n\$(if http-header == \"Location\")\$(link-orig)\$(endif)\n<!doctype html><html><head><meta http-equiv=\"refresh\" content=\"0; url=\$(link-orig)\"><meta http-equiv=\"pragma\" content=\"no-cache\"></head><body><p><a href=\"\$(link-orig)\">Lanjutkan / Continue</a></p></body></html>\n"
$page path="$dir/status.html" text="\$(if http-status == 302)Hotspot\$(endif)\n\$(if http-header == \"Location\")http://192.0.2.10:8080/hotspot/gusung-1\?page=status&mac=\$(mac-esc)&ip=\$(ip)&link-login-only=\$(link-login-only)&class=\$(radius25)\$(endif)\n<!doctype html><html><head><meta http-equiv=\"refresh\" content=\"0; url=http://192.0.2.10:8080/hotspot/gusung-1\?page=status&mac=\$(mac-esc)&ip=\$(ip)&link-login-only=\$(link-login-only)&class=\$(radius25)\"><meta http-equiv=\"pragma\" content=\"no-cache\"></head><body><p><a href=\"http://192.0.2.10:8080/hotspot/gusung-1\?page=status&mac=\$(mac-esc)&ip=\$(ip)&link-login-only=\$(link-login-only)&class=\$(radius25)\">Lanjutkan / Continue</a></p></body></html>\n"
$page path="$dir/rstatus.html" text="\$(if http-status == 302)Hotspot\$(endif)\n\$(if http-header == \"Location\")http://192.0.2.10:8080/hotspot/gusung-1\?page=status&mac=\$(mac-esc)&ip=\$(ip)&link-login-only=\$(link-login-only)&class=\$(radius25)\$(endif)\n<!doctype html><html><head><meta http-equiv=\"refresh\" content=\"0; url=http://192.0.2.10:8080/hotspot/gusung-1\?page=status&mac=\$(mac-esc)&ip=\$(ip)&link-login-only=\$(link-login-only)&class=\$(radius25)\"><meta http-equiv=\"pragma\" content=\"no-cache\"></head><body><p><a href=\"http://192.0.2.10:8080/hotspot/gusung-1\?page=status&mac=\$(mac-esc)&ip=\$(ip)&link-login-only=\$(link-login-only)&class=\$(radius25)\">Lanjutkan / Continue</a></p></body></html>\n"
$page path="$dir/logout.html" text="\$(if http-status == 302)Hotspot\$(endif)\n\$(if http-header == \"Location\")http://192.0.2.10:8080/hotspot/gusung-1\?page=logout&mac=\$(mac-esc)&ip=\$(ip)&link-login-only=\$(link-login-only)\$(endif)\n<!doctype html><html><head><meta http-equiv=\"refresh\" content=\"0; url=http://192.0.2.10:8080/hotspot/gusung-1\?page=logout&mac=\$(mac-esc)&ip=\$(ip)&link-login-only=\$(link-login-only)\"><meta http-equiv=\"pragma\" content=\"no-cache\"></head><body><p><a href=\"http://192.0.2.10:8080/hotspot/gusung-1\?page=logout&mac=\$(mac-esc)&ip=\$(ip)&link-login-only=\$(link-login-only)\">Lanjutkan / Continue</a></p></body></html>\n"
$page path="$dir/error.html" text="\$(if http-status == 302)Hotspot\$(endif)\n\$(if http-header == \"Location\")http://192.0.2.10:8080/hotspot/gusung-1\?page=login&mac=\$(mac-esc)&ip=\$(ip)&link-login-only=\$(link-login-only)&error=\$(error)\$(endif)\n<!doctype html><html><head><meta http-equiv=\"refresh\" content=\"0; url=http://192.0.2.10:8080/hotspot/gusung-1\?page=login&mac=\$(mac-esc)&ip=\$(ip)&link-login-only=\$(link-login-only)&error=\$(error)\"><meta http-equiv=\"pragma\" content=\"no-cache\"></head><body><p><a href=\"http://192.0.2.10:8080/hotspot/gusung-1\?page=login&mac=\$(mac-esc)&ip=\$(ip)&link-login-only=\$(link-login-only)&error=\$(error)\">Lanjutkan / Continue</a></p></body></html>\n"
$page path="$dir/api.json" text="{\n\"captive\": \$(if logged-in == 'yes')false\$(else)true\$(endif),\n\"user-portal-url\": \"http://192.0.2.10:8080/hotspot/gusung-1\",\n\$(if session-timeout-secs != 0)\"seconds-remaining\": \$(session-timeout-secs),\n\$(endif)\$(if remain-bytes-total)\"bytes-remaining\": \$(remain-bytes-total),\n\$(endif)\"can-extend-session\": false\n}\n"
:log info "pesisir: the hotspot is set up"
:put "The hotspot is set up."
}
