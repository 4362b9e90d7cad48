-- peek: report the state of a key and start nothing. For `status`, and for reads that the gate does not prove.
-- Atomic: the entry was judged by the gate in the reply.
-- KEYS T:g
-- ARGV tag id
-- -> {'FRESH', gate, entry} | {'PENDING', gate, leaseId, pttl} | {'EMPTY', gate}
local tag, id = arguments(2)
local refused = use(tag)
if refused then return refused end
local entry = R('GET', T .. ':e:' .. id)
if valid(id, entry) then return { 'FRESH', gate(), entry } end
local L = T .. ':l:' .. id
local lease = R('GET', L)
if lease then return { 'PENDING', gate(), lease:match('^[^|]*'), R('PTTL', L) } end
return { 'EMPTY', gate() }
