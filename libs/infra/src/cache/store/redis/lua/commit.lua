-- commit: store what was built, unless something it depends on was invalidated since its start point. Atomic: the check
-- and the write are one step, so no invalidation can fall between them.
-- A value that replaces a valid entry, or that somebody asked for who wanted none of a certain age, is forced: whatever the
-- reply, what was begun before it is gone and every L1 is told, as by an invalidation of the entry (model rebuild.pml).
-- KEYS T:g   ARGV T clkKnown tipKnown bornKnown id leaseId s tip startedAtMs build born ttlMs(-1 = none) retentionMs codec
--   embed(0|1) staleMs windowMax forcedTip('' = not forced) rq knownMv value dep...
-- -> {'OK'|'LOST'|'STALE'|'FENCED'|'EXPIRED', gate, mv, members, mature}
local refused = useOwn(ARGV[1], ARGV[2], ARGV[3], ARGV[4])
if refused then return refused end
local id, leaseId, s, at, build = ARGV[5], ARGV[6], tonumber(ARGV[7]), tonumber(ARGV[9]), tonumber(ARGV[10])
local L, E, lease, own = T .. ':l:' .. id, T .. ':e:' .. id, nil, 'k:' .. id
local held = R('GET', L)
if held then lease = held:match('^[^|]*') end
local header = R('GETRANGE', E, 0, HEADER - 1)
local isThere = valid(id, header)
local _, _, _, _, _, present = struct.unpack(F, isThere and header or EMPTY)
local isForced = ARGV[18] ~= '' and not (isThere and present > build)      -- else what is there was begun later

-- Ends the lease. If the value was forced, what is there is older, and goes; `store` puts the new one in its place.
local function finish(code, store)
  if lease == leaseId then R('DEL', L) end
  if not isForced then
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
if tonumber(ARGV[11]) ~= born or not known or tonumber(known) ~= s then return finish('LOST') end -- not a point of this history
if s < tonumber(R('HGET', M, 'ff') or '0') then return finish('LOST') end  -- the window no longer reaches back to it
local deps = {}
for i = 22, #ARGV do deps[#deps + 1] = ARGV[i] end
if invalidatedSince(deps, s) or invalidatedSince({ own }, s) then return finish('STALE') end
if lease and lease ~= leaseId or not lease and isThere then return finish('FENCED') end  -- somebody has taken over
local px, ttl, codec, staleMs, value = tonumber(ARGV[13]), tonumber(ARGV[12]), tonumber(ARGV[14]), tonumber(ARGV[16]), ARGV[21]
local t = now()
if ttl >= 0 then px = math.min(px, ttl, at + ttl - t) end                  -- counted from the fetch's start
if px < 1 then
  return finish('EXPIRED', function()
    if isForced then drop({ id }) end
    local ended = at + ttl                                                 -- newer than the copy that may be there
    if staleMs > 0 and ended + staleMs > t then putCopy(id, codec, s, ended, ended + staleMs - t, staleMs, value) end
  end)
end
return finish('OK', function()
  drop({ id })
  put(id, deps, codec, s, at, build, px, ttl >= 0 and t + px or 0, ARGV[15], staleMs, value)
end)
