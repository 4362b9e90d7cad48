-- write: store a value unconditionally, as if fetched at this instant. It is an invalidation of the key followed by a
-- commit: builds under way are refused and their lease ends. Atomic: nobody sees the key between the two.
-- KEYS T:g   ARGV T id newTip px codec windowMax rq knownMv hasTtl(0|1) embed(0|1) leaseId value dep...
--   leaseId: refuse unless this lease is held ('' = write in any case)
-- -> {'OK'|'FENCED', gate, mv, members, born, mature}   FENCED: nothing was changed
local id = ARGV[2]
use(ARGV[1], ARGV[3])
local deps = {}
for i = 13, #ARGV do deps[#deps + 1] = ARGV[i] end
if ARGV[11] ~= '' and (R('GET', T .. ':l:' .. id) or ''):match('^[^|]*') ~= ARGV[11] then
  return { 'FENCED', gate(), '-', '', R('HGET', M, 'born') or '-', 1 }  -- there is nothing that anybody has to follow
end
local previous = tick(ARGV[3])
R('ZADD', T .. ':iv', clk, 'k:' .. id)
storeGate()
drop({ id })
endLease(id)
local at, px = now(), tonumber(ARGV[4])
put(id, deps, tonumber(ARGV[5]), clk, at, px, ARGV[9] == '1' and at + px or 0, ARGV[10], 0, ARGV[12])
announce(previous, { 'k:' .. id }, ARGV[7])
trim(tonumber(ARGV[6]))
return { 'OK', gate(), audience(ARGV[8]) }
