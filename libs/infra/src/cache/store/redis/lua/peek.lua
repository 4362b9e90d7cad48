-- peek: report the state of a key and start nothing. The slow path of a read, and `status`.
-- KEYS T:g   ARGV T id
-- -> {'FRESH', gate, entry} | {'PENDING', gate, leaseId, pttl} | {'EMPTY', gate}
local refused = use(ARGV[1])
if refused then return refused end
local id = ARGV[2]
local entry = R('GET', T .. ':e:' .. id)
if valid(id, entry) then return { 'FRESH', gate(), entry } end
local L = T .. ':l:' .. id
local lease = R('GET', L)
if lease then return { 'PENDING', gate(), lease:match('^[^|]*'), R('PTTL', L) } end
return { 'EMPTY', gate() }
