-- begin: return the valid entry, or grant the lease to build it, or name the lease under which another builds it.
-- Atomic: the start point is that of the instant of the grant, and one of several callers at once receives the lease.
-- KEYS T:g
-- ARGV tag id leaseId leaseMs refresh knownDep...
--   refresh: 1 = build even if there is a valid entry; a lease that another holds is waited for all the same
--   knownDep: dependencies that the value is known to have. If one of them or the key was invalidated after another's
--     lease was granted, or if that lease is from below a floor, the commit under it will be refused: the caller takes
--     the lease over.
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
