-- write: store a value as if it was fetched at this instant. If the caller names a lease, it must still be held. It is
-- an invalidation of the key followed by a commit: builds of the key that are under way are refused, and its lease
-- ends.
-- Atomic: no process sees the key between the two.
-- KEYS T:g
-- ARGV tag clkKnown tipKnown bornKnown id newTip px codec windowMax requester mvKnown hasTtl embed leaseId value dep...
--   px: how long Redis keeps the entry, in ms
--   hasTtl: 1 = px is a TTL of the value, 0 = px is the retention of all values
--   leaseId: refuse unless this lease is held; '' = write in any case
-- -> {'OK'|'FENCED', gate, mv, members, mature}   FENCED: nothing was changed
local tag, clkKnown, tipKnown, bornKnown, id, newTip, px, codec, windowMax, requester, mvKnown, hasTtl, embed, leaseId,
  value = arguments(15, 'dep...')
local refused = useOwn(tag, clkKnown, tipKnown, bornKnown)
if refused then return refused end
if leaseId ~= '' and (R('GET', T .. ':l:' .. id) or ''):match('^[^|]*') ~= leaseId then
  return { 'FENCED', gate(), noAudience() }
end
local previous = tick(newTip)
R('ZADD', T .. ':iv', clk, 'k:' .. id)
storeGate()
drop({ id })
endLease(id)
local at, life = now(), tonumber(px)
put(id, listed(), tonumber(codec), clk, at, nextBuild(), life, hasTtl == '1' and at + life or 0, embed, 0, value)
announce(previous, { 'k:' .. id }, requester)
trim(tonumber(windowMax))
return { 'OK', gate(), audience(mvKnown) }
