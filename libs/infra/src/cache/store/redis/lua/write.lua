-- write: store a value unconditionally, as if fetched at this instant. It is an invalidation of the key followed by a
-- commit: builds under way are refused and their lease ends. Atomic: nobody sees the key between the two.
-- KEYS T:g   ARGV T id newTip px codec windowMax value dep...
-- -> {'OK', gate}
local id = ARGV[2]
use(ARGV[1], ARGV[3])
local deps = {}
for i = 8, #ARGV do deps[#deps + 1] = ARGV[i] end
local previous = tick(ARGV[3])
R('ZADD', T .. ':iv', clk, 'k:' .. id)
storeGate()
drop(id)
endLease(id)
put(id, deps, tonumber(ARGV[5]), clk, now(), tonumber(ARGV[4]), ARGV[7])
announce(previous, { 'k:' .. id })
trim(tonumber(ARGV[6]))
return { 'OK', gate() }
