#!lua flags=allow-oom
-- adopt: verify that this server holds the history that the caller knows, or begin a new one. A server restarted from a
-- snapshot, a promoted replica, a slot that has moved here or a swapped database may have lost the last acknowledged
-- invalidations. Which ones is unknown, so everything older is dropped: a new `born` kills all entries and all fills
-- under way, in constant time, and the sweeper's audit frees them. The clock goes on above the highest that this
-- server, or the caller, knows.
-- KEYS T:g   ARGV T newTip newBorn clkKnown tipKnown bornKnown ('' = the caller remembers nothing)
-- -> {begun(0|1), gate}
local refused = use(ARGV[1])
if refused and refused.err:find('SLOTOPEN', 1, true) then return refused end
local home = replicationId()
local isOwn = not refused and R('HGET', M, 'home') == home and recalls(ARGV[4], ARGV[5], ARGV[6])
if isOwn then return { 0, gate() } end
-- The gate's globals are set only if it was readable.
local was = refused and parse((R('GET', G) or ''):sub(2)) or not refused
local newest = R('ZREVRANGE', T .. ':tz', 0, 0, 'WITHSCORES')[2]
local before, previous = R('HGET', M, 'anc') or '', was and tip or '-'
local ancestors = {}
for one in before:gmatch('%d+:%d+') do ancestors[#ancestors + 1] = one end
if was then ancestors[#ancestors + 1] = string.format('%.0f:%.0f', born, clk) end
if ARGV[6] ~= '' then ancestors[#ancestors + 1] = ARGV[6] .. ':' .. ARGV[4] end
clk = math.max(was and clk or 0, tonumber(newest or '0'), tonumber(ARGV[4]) or 0) + 1
rf, uf, tip, born, recent = clk, 0, ARGV[2], tonumber(ARGV[3]), '-'
R('HSET', M, 'ff', Z:format(clk), 'home', home, 'anc',
  table.concat(ancestors, ' ', math.max(1, #ancestors - ANCESTORS + 1)))
R('ZADD', T .. ':tz', clk, tip)
storeGate()
R('DEL', T .. ':un')                                    -- only now: the new history refuses the unswept
R('PUBLISH', T .. ':bus', string.format('I %.0f %s %s - %.0f\n*', clk, tip, previous, born))
return { 1, gate() }
