-- commit: store a built value, unless a dependency or its key was invalidated since its start point.
-- Atomic: the check and the write are one step, so no invalidation can fall between them.
-- A value that replaces a valid entry, or that answers a caller with `maxAgeSeconds`, is announced to every L1 as an
-- invalidation of the entry (model rebuild.pml). For a caller with `maxAgeSeconds` it is forced: the present entry
-- falls even if the value is refused, and even if the entry's lease was granted later, because a build that stood still
-- between its start point and its fetch may have fetched after that entry's build.
-- KEYS T:g
-- ARGV tag clkKnown tipKnown bornKnown id leaseId startClk startTip startedAtMs build startBorn ttlMs retentionMs codec
--      embed staleMs windowMax newTip requester mvKnown isForced value dep...
--   startClk, startTip, startedAtMs, build, startBorn: the start point, as `begin` has answered it
--   ttlMs: counts from the fetch's start; -1 = none
--   retentionMs: how long Redis keeps an entry at most
--   newTip: '' = the value is not announced
--   isForced: 1 = forced, see above
-- -> {'OK'|'LOST'|'STALE'|'FENCED'|'EXPIRED', gate, mv, members, mature}   OK stored | LOST the start point cannot be
--   judged here | STALE something was invalidated since | FENCED another builder took over | EXPIRED the TTL is over
local tag, clkKnown, tipKnown, bornKnown, id, leaseId, startClk, startTip, startedAtMs, build, startBorn,
  ttlMs, retentionMs, codec, embed, staleMs, windowMax,
  newTip, requester, mvKnown, isForced, value = arguments(22, 'dep...')
local refused = useOwn(tag, clkKnown, tipKnown, bornKnown)
if refused then return refused end
local s, mustFall = tonumber(startClk), isForced == '1'
local L, E, lease, own = T .. ':l:' .. id, T .. ':e:' .. id, nil, 'k:' .. id
local held = R('GET', L)
if held then lease = held:match('^[^|]*') end
local isThere = valid(id, R('GETRANGE', E, 0, HEADER - 1))

-- Ends the build: its lease, if it still holds it, and the wait of its waiters. `store`, if given, writes what is to be
-- kept. A value with newTip that is stored or forced is announced; without `store` the present entry then falls.
local function finish(code, store)
  if lease == leaseId then R('DEL', L) end
  if newTip == '' or not (mustFall or code == 'OK') then
    if store then store() end
    wake(id, leaseId)
    return { code, gate(), noAudience() }
  end
  local previous = tick(newTip)
  R('ZADD', T .. ':iv', clk, own)
  storeGate()
  if store then store() else drop({ id }) end
  wake(id, leaseId)
  announce(previous, { own }, requester)
  trim(tonumber(windowMax))
  return { code, gate(), audience(mvKnown) }
end

-- The start point is of another history, its tip is forgotten, or it lies below the floor of builds.
local known = R('ZSCORE', T .. ':tz', startTip)
if tonumber(startBorn) ~= born or not known or tonumber(known) ~= s then return finish('LOST') end
if s < tonumber(R('HGET', M, 'ff') or '0') then return finish('LOST') end
local deps = listed()
if invalidatedSince(deps, s) or invalidatedSince({ own }, s) then return finish('STALE') end
if lease and lease ~= leaseId or not lease and isThere then return finish('FENCED') end  -- another builder took over
local px, ttl, at, stale, t = tonumber(retentionMs), tonumber(ttlMs), tonumber(startedAtMs), tonumber(staleMs), now()
if ttl >= 0 then px = math.min(px, ttl, at + ttl - t) end                                -- the TTL began with the fetch
if px < 1 then
  return finish('EXPIRED', function()
    if mustFall then drop({ id }) end
    local ended = at + ttl                      -- the value serves only as a stale copy; a copy that is here is older
    if stale > 0 and ended + stale > t then
      putCopy(id, tonumber(codec), s, ended, ended + stale - t, stale, value)
    end
  end)
end
return finish('OK', function()
  drop({ id })
  put(id, deps, tonumber(codec), s, at, tonumber(build), px, ttl >= 0 and t + px or 0, embed, stale, value)
end)
