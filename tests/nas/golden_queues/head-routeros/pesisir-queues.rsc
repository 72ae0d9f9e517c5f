# Queues of uplink Telkom for the head of the line, RouterOS 7.10 or newer. Experimental: not yet tried on a router.
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
/ipv6 firewall mangle remove [find comment=$mark]
/ipv6 firewall address-list remove [find comment=$mark]
:if ([:len [/queue type find name=pesisir-down]] = 0) do={ /queue type add name=pesisir-down kind=pcq }
:if ([:len [/queue type find name=pesisir-up]] = 0) do={ /queue type add name=pesisir-up kind=pcq }
/queue type set [find name=pesisir-down] kind=pcq pcq-classifier=dst-address pcq-rate=0 pcq-limit=64KiB pcq-total-limit=4000KiB
/queue type set [find name=pesisir-up] kind=pcq pcq-classifier=src-address pcq-rate=0 pcq-limit=64KiB pcq-total-limit=4000KiB
/ip firewall address-list add list=pesisir-services address=103.10.1.0/24 comment=$mark
/ip firewall mangle add chain=forward src-address-list=pesisir-services action=mark-packet new-packet-mark=pesisir-services passthrough=no comment=$mark
/ip firewall mangle add chain=forward dst-address-list=pesisir-services action=mark-packet new-packet-mark=pesisir-services passthrough=no comment=$mark
/ipv6 firewall address-list add list=pesisir-services address=2001:db8:9::/48 comment=$mark
/ipv6 firewall mangle add chain=forward src-address-list=pesisir-services action=mark-packet new-packet-mark=pesisir-services passthrough=no comment=$mark
/ipv6 firewall mangle add chain=forward dst-address-list=pesisir-services action=mark-packet new-packet-mark=pesisir-services passthrough=no comment=$mark
:if ([:len [/interface list find name=WAN]] = 0) do={
  :log warning "pesisir: no interface list WAN: public services are known by their addresses alone"
} else={
  /ip firewall mangle add chain=forward in-interface-list=WAN dscp=34 action=mark-packet new-packet-mark=pesisir-services passthrough=no comment=$mark
}
# The line, its classes of service, and their sites: limit-at is promised, max-limit is the most; upload/download
/queue simple add name=pesisir-line target=10.9.1.0/28,10.9.1.0/24,2001:db8:1::/64,10.9.2.0/24 max-limit=20000000/60000000 queue=pesisir-up/pesisir-down comment=$mark
/queue simple add name="pesisir-public_service-marked" parent=pesisir-line target=10.9.1.0/28,10.9.1.0/24,2001:db8:1::/64,10.9.2.0/24 packet-marks=pesisir-services limit-at=1666666/5000000 max-limit=20000000/60000000 queue=pesisir-up/pesisir-down comment=$mark
/queue simple add name="pesisir-office" parent=pesisir-line target=10.9.1.0/28 limit-at=3333333/10000000 max-limit=10000000/30000000 queue=pesisir-up/pesisir-down comment=$mark
/queue simple add name="pesisir-office-Gusung" parent="pesisir-office" target=10.9.1.0/28 max-limit=10000000/20000000 burst-limit=10000000/30000000 burst-threshold=7500000/15000000 burst-time=4s/4s queue=pesisir-up/pesisir-down comment=$mark
/queue simple add name="pesisir-resident" parent=pesisir-line target=10.9.1.0/24,2001:db8:1::/64,10.9.2.0/24 limit-at=8000/8000 max-limit=20000000/60000000 queue=pesisir-up/pesisir-down comment=$mark
/queue simple add name="pesisir-resident-Gusung" parent="pesisir-resident" target=10.9.1.0/24,2001:db8:1::/64 max-limit=20000000/20000000 burst-limit=20000000/40000000 burst-threshold=15000000/15000000 burst-time=4s/4s queue=pesisir-up/pesisir-down comment=$mark
/queue simple add name="pesisir-resident-Melahing" parent="pesisir-resident" target=10.9.2.0/24 max-limit=7000000/7000000 burst-limit=14000000/14000000 burst-threshold=5250000/5250000 burst-time=4s/4s queue=pesisir-up/pesisir-down comment=$mark
:log info "pesisir: the queues of the line are set up"
:put "The queues are set up."
}
