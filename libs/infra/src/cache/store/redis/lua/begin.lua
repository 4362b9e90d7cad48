-- begin: return the valid entry, or grant the lease to build it.
-- Atomic: the start point is that of the same instant, and one of those who ask at once receives the lease.
-- KEYS T:g
-- ARGV tag id leaseId leaseMs refresh knownDep...
--   refresh: 1 = grant the lease although there is a valid entry
--   knownDep: dependencies that the value is known to have. If one was invalidated after a lease began, the caller
--     takes that lease over.
-- -> {'FRESH', gate, entry} | {'LEASE', gate, serverMs, build} | {'WAIT', gate, leaseId, pttl}
local tag, id, leaseId, leaseMs, refresh = arguments(5, 'knownDep...')
local refused = use(tag)
if refused then return refused end
if refresh == '0' then
  local entry = R('GET', T .. ':e:' .. id)
  if valid(id, entry) then return { 'FRESH', gate(), entry } end
end
local L = T .. ':l:' .. id
local lease = R('GET', L)
if lease then
  local holder, s = lease:match('^([^|]*)|(%d+)$')
  s = tonumber(s)
  local known = listed()
  known[#known + 1] = 'k:' .. id
  local doomed = s < rf or s < tonumber(R('HGET', M, 'ff') or '0') or invalidatedSince(known, s)
  if not doomed then return { 'WAIT', gate(), holder, R('PTTL', L) } end
  wake(id, holder)
end
R('SET', L, leaseId .. '|' .. Z:format(clk), 'PX', leaseMs)
return { 'LEASE', gate(), Z:format(now()), nextBuild() }
