# Queues of a router at Melahing, RouterOS 7.10 or newer. Experimental: not yet tried on a router.
# Run after pesisir.rsc, with the same name in the line `:local lan`:  /import pesisir-queues.rsc
# It may be run again at any time: nothing is made twice.
{
:local lan "bridge-hotspot"
:local mark "pesisir-site"

# Phones that are logged in get queues of their own from the hotspot: they hang below the site's, which holds them all
:if ([:len [/queue type find name=pesisir-down]] = 0) do={ /queue type add name=pesisir-down kind=pcq }
:if ([:len [/queue type find name=pesisir-up]] = 0) do={ /queue type add name=pesisir-up kind=pcq }
/queue type set [find name=pesisir-down] kind=pcq pcq-classifier=dst-address pcq-rate=0 pcq-limit=64KiB pcq-total-limit=4000KiB
/queue type set [find name=pesisir-up] kind=pcq pcq-classifier=src-address pcq-rate=0 pcq-limit=64KiB pcq-total-limit=4000KiB
:if ([:len [/queue simple find name=pesisir-site]] = 0) do={ /queue simple add name=pesisir-site target=$lan comment=$mark }
/queue simple set [find name=pesisir-site] target=$lan max-limit=7000000/7000000 burst-limit=14000000/14000000 burst-threshold=5250000/5250000 burst-time=4s/4s queue=pesisir-up/pesisir-down
/ip hotspot user profile set [find default=yes] parent-queue=pesisir-site
:log info "pesisir: the queues of the site are set up"
:put "The queues are set up."
}
