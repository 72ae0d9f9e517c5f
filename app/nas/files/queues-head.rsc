# Queues of @{title} for the head of the line, RouterOS 7.10 or newer. Experimental: not yet tried on a router.
# Upload the file and run:  /import pesisir-queues.rsc    It may be run again at any time: nothing is made twice.
# To take them off:  /queue simple remove [find comment="pesisir-line"]
{
:local mark "pesisir-line"

# FastTrack passes by the queues
:foreach rule in=[/ip firewall filter find action=fasttrack-connection dynamic=no disabled=no] do={
  /ip firewall filter disable $rule
  :log warning "pesisir: FastTrack is off, it would pass by every queue"
}

/queue simple remove [find comment=$mark]
/ip firewall mangle remove [find comment=$mark]
/ip firewall address-list remove [find comment=$mark]
@@ if services6
/ipv6 firewall mangle remove [find comment=$mark]
/ipv6 firewall address-list remove [find comment=$mark]
@@ endif
@@ include "queue-types.rsc"

@@ for menu, addresses in (("ip", services4), ("ipv6", services6)) if addresses
@@ for address in addresses
/@{menu} firewall address-list add list=pesisir-services address=@{address} comment=$mark
@@ endfor
@@ for side in ("src", "dst")
/@{menu} firewall mangle add chain=forward @{side}-address-list=pesisir-services action=mark-packet new-packet-mark=pesisir-services passthrough=no comment=$mark
@@ endfor
@@ endfor
@@ if dscp is not none
:if ([:len [/interface list find name=WAN]] = 0) do={
  :log warning "pesisir: no interface list WAN: public services are known by their addresses alone"
} else={
  /ip firewall mangle add chain=forward in-interface-list=WAN dscp=@{dscp} action=mark-packet new-packet-mark=pesisir-services passthrough=no comment=$mark
}
@@ endif

# The line, its classes of service, and their sites: limit-at is promised, max-limit is the most; upload/download
/queue simple add name=pesisir-line target=@{everybody} max-limit=@{up.capacity_bps}/@{down.capacity_bps} queue=pesisir-up/pesisir-down comment=$mark
@@ for class in classes
/queue simple add name=@{("pesisir-" ~ class.key) | ros} parent=pesisir-line target=@{class.target} @{"packet-marks=pesisir-services " if class.services}limit-at=@{class.floors} max-limit=@{class.ceilings} queue=pesisir-up/pesisir-down comment=$mark
@@ for site in class.sites
/queue simple add name=@{("pesisir-" ~ class.key ~ "-" ~ site.name) | ros} parent=@{("pesisir-" ~ class.key) | ros} target=@{site.target} max-limit=@{site.ceilings} burst-limit=@{site.bursts} burst-threshold=@{site.thresholds} burst-time=4s/4s queue=pesisir-up/pesisir-down comment=$mark
@@ endfor
@@ endfor
:log info "pesisir: the queues of the line are set up"
:put "The queues are set up."
}
