-- write: store a value unconditionally, as if fetched at this instant. It is an invalidation of the key followed by a
-- commit: builds under way are refused and their lease ends. Atomic: no process sees the key between the two.
-- KEYS T:g   ARGV T clkKnown tipKnown bornKnown id newTip px codec windowMax rq knownMv hasTtl(0|1) embed(0|1) leaseId
--   value dep...
--   leaseId: refuse unless this lease is held ('' = write in any case)
-- -> {'OK'|'FENCED', gate, mv, members, mature}   FENCED: nothing was changed
local refused = useOwn(ARGV[1], ARGV[2], ARGV[3], ARGV[4])
if refused then return refused end
local id, leaseId = ARGV[5], ARGV[14]
local deps = {}
for i = 16, #ARGV do deps[#deps + 1] = ARGV[i] end
if leaseId ~= '' and (R('GET', T .. ':l:' .. id) or ''):match('^[^|]*') ~= leaseId then
  return { 'FENCED', gate(), noAudience() }
end
local previous = tick(ARGV[6])
R('ZADD', T .. ':iv', clk, 'k:' .. id)
storeGate()
drop({ id })
endLease(id)
local at, px = now(), tonumber(ARGV[7])
put(id, deps, tonumber(ARGV[8]), clk, at, nextBuild(), px, ARGV[12] == '1' and at + px or 0, ARGV[13], 0, ARGV[15])
announce(previous, { 'k:' .. id }, ARGV[10])
trim(tonumber(ARGV[9]))
return { 'OK', gate(), audience(ARGV[11]) }
