# Queues of a router at @{title}, RouterOS 7.10 or newer. Experimental: not yet tried on a router.
# Run after pesisir.rsc, with the same name in the line `:local lan`:  /import pesisir-queues.rsc
# It may be run again at any time: nothing is made twice.
{
:local lan "bridge-hotspot"
:local mark "pesisir-site"

# Phones that are logged in get queues of their own from the hotspot: they hang below the site's, which holds them all
@@ include "queue-types.rsc"
:if ([:len [/queue simple find name=pesisir-site]] = 0) do={ /queue simple add name=pesisir-site target=$lan comment=$mark }
/queue simple set [find name=pesisir-site] target=$lan max-limit=@{up}/@{down} burst-limit=@{up_burst}/@{down_burst} burst-threshold=@{up_threshold}/@{down_threshold} burst-time=4s/4s queue=pesisir-up/pesisir-down
/ip hotspot user profile set [find default=yes] parent-queue=pesisir-site
:log info "pesisir: the queues of the site are set up"
:put "The queues are set up."
}
