#!lua flags=allow-oom
-- adopt: verify that this server holds the history that the caller knows, or begin a new one. A server restarted from a
-- snapshot, a promoted replica, a slot that has moved here or a swapped database may have lost the last acknowledged
-- invalidations. Which ones is unknown, so everything older is dropped: a new `born` kills all entries and all builds
-- under way, in constant time, and the sweeper's walk frees the entries. The clock goes on above the highest that this
-- server, or the caller, knows.
-- Atomic: no script sees half of a new history. If two processes ask at once, the second sees what the first has begun.
-- KEYS T:g
-- ARGV tag newTip newBorn clkKnown tipKnown bornKnown
--   bornKnown: '' = the caller remembers no history
-- -> {begun(0|1), gate}
local tag, newTip, newBorn, clkKnown, tipKnown, bornKnown = arguments(6)
local refused = use(tag)
if refused and refused.err:find('SLOTOPEN', 1, true) then return refused end
local home = replicationId()
local isOwn = not refused and R('HGET', M, 'home') == home and recalls(clkKnown, tipKnown, bornKnown)
if isOwn then return { 0, gate() } end
-- A spoilt gate is read without its "!". Without a gate, clk, tip and born of the previous history are unknown.
local was = refused and parse((R('GET', G) or ''):sub(2)) or not refused
local newest = R('ZREVRANGE', T .. ':tz', 0, 0, 'WITHSCORES')[2]
local before, previous = R('HGET', M, 'anc') or '', was and tip or '-'
local ancestors = {}
for one in before:gmatch('%d+:%d+') do ancestors[#ancestors + 1] = one end
if was then ancestors[#ancestors + 1] = string.format('%.0f:%.0f', born, clk) end
if bornKnown ~= '' then ancestors[#ancestors + 1] = bornKnown .. ':' .. clkKnown end
clk = math.max(was and clk or 0, tonumber(newest or '0'), tonumber(clkKnown) or 0) + 1
rf, uf, tip, born, recent = clk, 0, newTip, tonumber(newBorn), '-'
R('HSET', M, 'ff', Z:format(clk), 'home', home, 'anc',
  table.concat(ancestors, ' ', math.max(1, #ancestors - ANCESTORS + 1)))
R('ZADD', T .. ':tz', clk, tip)
storeGate()
R('DEL', T .. ':un')                                    -- after the gate, which kills the unswept entries
R('PUBLISH', T .. ':bus', string.format('I %.0f %s %s - %.0f\n*', clk, tip, previous, born))
return { 1, gate() }
