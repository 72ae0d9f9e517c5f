:if ([:len [/queue type find name=pesisir-down]] = 0) do={ /queue type add name=pesisir-down kind=pcq }
:if ([:len [/queue type find name=pesisir-up]] = 0) do={ /queue type add name=pesisir-up kind=pcq }
/queue type set [find name=pesisir-down] kind=pcq pcq-classifier=dst-address pcq-rate=0 pcq-limit=64KiB pcq-total-limit=4000KiB
/queue type set [find name=pesisir-up] kind=pcq pcq-classifier=src-address pcq-rate=0 pcq-limit=64KiB pcq-total-limit=4000KiB
