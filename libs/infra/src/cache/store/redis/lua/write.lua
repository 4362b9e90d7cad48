-- write: store a value unconditionally, as if fetched at this instant. It is an invalidation of the key followed by a
-- commit: builds under way are refused and their lease ends. Atomic: nobody sees the key between the two.
-- KEYS T:g   ARGV T id newTip px codec windowMax rq knownMv hasTtl(0|1) embed(0|1) value dep...
-- -> {'OK', gate, mv, members, born, mature}
local id = ARGV[2]
use(ARGV[1], ARGV[3])
local deps = {}
for i = 12, #ARGV do deps[#deps + 1] = ARGV[i] end
local previous = tick(ARGV[3])
R('ZADD', T .. ':iv', clk, 'k:' .. id)
storeGate()
drop(id)
endLease(id)
local at, px = now(), tonumber(ARGV[4])
put(id, deps, tonumber(ARGV[5]), clk, at, px, ARGV[9] == '1' and at + px or 0, ARGV[10], ARGV[11])
announce(previous, { 'k:' .. id }, ARGV[7])
trim(tonumber(ARGV[6]))
return { 'OK', gate(), audience(ARGV[8]) }
