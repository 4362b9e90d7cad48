-- stale: return the copy of an ended entry if it may still be served as stale.
-- Atomic: no copy is returned beside a valid entry.
-- KEYS T:g
-- ARGV tag id
-- -> {'STALE', gate, staleForMs, codec, value} | {'NONE', gate}   staleForMs: how long ago the entry ended
local tag, id = arguments(2)
local refused = use(tag)
if refused then return refused end
local at = now()
local none = { 'NONE', gate() }
local copy = R('GET', T .. ':s:' .. id)
if not copy or valid(id, R('GETRANGE', T .. ':e:' .. id, 0, HEADER - 1)) then return none end
local staleMs, ended, s, history, codec = struct.unpack(S, copy)
-- It is unknown since when an older copy is stale: an invalidation was deferred, everything was flushed, or the history
-- was lost.
if history ~= born or s < rf or s < tonumber(R('HGET', M, 'sf') or '0') then return none end
if ended == 0 or ended > at or at - ended > staleMs then return none end
return { 'STALE', gate(), Z:format(at - ended), codec, copy:sub(COPY + 1) }
