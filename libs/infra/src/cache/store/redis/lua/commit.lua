-- commit: store what was built, unless something it depends on was invalidated since its start point. Atomic: the check
-- and the write are one step, so no invalidation can fall between them.
-- KEYS T:g   ARGV T id leaseId s tip startedAtMs ttlMs(-1 = none) retentionMs codec freshTip embed(0|1)
--   staleMs value dep...
-- -> {'OK'|'LOST'|'STALE'|'FENCED'|'EXPIRED', gate}
local id, leaseId, s = ARGV[2], ARGV[3], tonumber(ARGV[4])
use(ARGV[1], ARGV[10])
local L, lease = T .. ':l:' .. id, nil
local held = R('GET', T .. ':l:' .. id)
if held then lease = held:match('^[^|]*') end
local function finish(code)
  if lease == leaseId then R('DEL', L) end
  wake(id, leaseId)
  return { code, gate() }
end
local known = R('ZSCORE', T .. ':tz', ARGV[5])
if not known or tonumber(known) ~= s then return finish('LOST') end        -- not a point of this history
if s < tonumber(R('HGET', M, 'ff') or '0') then return finish('LOST') end  -- the window no longer reaches back to it
local deps = {}
for i = 14, #ARGV do deps[#deps + 1] = ARGV[i] end
if invalidatedSince(deps, s) or invalidatedSince({ 'k:' .. id }, s) then return finish('STALE') end
if lease and lease ~= leaseId then return { 'FENCED', gate() } end         -- somebody took over
if not lease and valid(id, R('GETRANGE', T .. ':e:' .. id, 0, 23)) then return { 'FENCED', gate() } end
local at, px, ttl = now(), tonumber(ARGV[8]), tonumber(ARGV[7])
if ttl >= 0 then px = math.min(px, ttl, tonumber(ARGV[6]) + ttl - at) end  -- counted from the fetch's start
if px < 1 then return finish('EXPIRED') end
drop({ id })
put(id, deps, tonumber(ARGV[9]), s, tonumber(ARGV[6]), px, ttl >= 0 and at + px or 0, ARGV[11], tonumber(ARGV[12]), ARGV[13])
return finish('OK')
