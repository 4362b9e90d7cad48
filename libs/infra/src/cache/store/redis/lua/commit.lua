-- commit: store a built value, unless a dependency was invalidated since its start point. Atomic: the check and the
-- write are one step, so no invalidation can fall between them.
-- A value that replaces a valid entry, or that answers a caller with `maxAgeSeconds`, is announced to every L1 as an
-- invalidation of the entry (model rebuild.pml). For a caller with `maxAgeSeconds` it is forced: the present entry
-- falls even if the value is refused, and even if the entry's lease was granted later, because a build that stood still
-- between its start point and its fetch may have fetched after that entry's build.
-- KEYS T:g   ARGV T clkKnown tipKnown bornKnown id leaseId s tip startedAtMs build born ttlMs(-1 = none) retentionMs
--   codec embed(0|1) staleMs windowMax newTip('' = not announced) rq knownMv isForced(0|1) value dep...
-- -> {'OK'|'LOST'|'STALE'|'FENCED'|'EXPIRED', gate, mv, members, mature}
local refused = useOwn(ARGV[1], ARGV[2], ARGV[3], ARGV[4])
if refused then return refused end
local id, leaseId, s, at, build = ARGV[5], ARGV[6], tonumber(ARGV[7]), tonumber(ARGV[9]), tonumber(ARGV[10])
local L, E, lease, own = T .. ':l:' .. id, T .. ':e:' .. id, nil, 'k:' .. id
local held = R('GET', L)
if held then lease = held:match('^[^|]*') end
local isThere = valid(id, R('GETRANGE', E, 0, HEADER - 1))
local isForced = ARGV[21] == '1'

-- Ends the lease. If the value is announced, `store` replaces the present entry; without `store` the entry is dropped.
local function finish(code, store)
  if lease == leaseId then R('DEL', L) end
  if ARGV[18] == '' or not (isForced or code == 'OK') then
    if store then store() end
    wake(id, leaseId)
    return { code, gate(), noAudience() }
  end
  local previous = tick(ARGV[18])
  R('ZADD', T .. ':iv', clk, own)
  storeGate()
  if store then store() else drop({ id }) end
  wake(id, leaseId)
  announce(previous, { own }, ARGV[19])
  trim(tonumber(ARGV[17]))
  return { code, gate(), audience(ARGV[20]) }
end

local known = R('ZSCORE', T .. ':tz', ARGV[8])
if tonumber(ARGV[11]) ~= born or not known or tonumber(known) ~= s then return finish('LOST') end -- not in this history
if s < tonumber(R('HGET', M, 'ff') or '0') then return finish('LOST') end  -- older than the window
local deps = {}
for i = 23, #ARGV do deps[#deps + 1] = ARGV[i] end
if invalidatedSince(deps, s) or invalidatedSince({ own }, s) then return finish('STALE') end
if lease and lease ~= leaseId or not lease and isThere then return finish('FENCED') end  -- another builder took over
local px, ttl, codec, staleMs, value = tonumber(ARGV[13]), tonumber(ARGV[12]), tonumber(ARGV[14]), tonumber(ARGV[16]), ARGV[22]
local t = now()
if ttl >= 0 then px = math.min(px, ttl, at + ttl - t) end                  -- the TTL counts from the fetch's start
if px < 1 then
  return finish('EXPIRED', function()
    if isForced then drop({ id }) end
    local ended = at + ttl                                                 -- newer than a copy that is there
    if staleMs > 0 and ended + staleMs > t then putCopy(id, codec, s, ended, ended + staleMs - t, staleMs, value) end
  end)
end
return finish('OK', function()
  drop({ id })
  put(id, deps, codec, s, at, build, px, ttl >= 0 and t + px or 0, ARGV[15], staleMs, value)
end)
