#!lua flags=allow-oom
-- flush: invalidate everything that was fetched before this instant. Constant time: the clock ticks, the read floor
-- rises over all entries, and the sweeper's audit frees them. The members stay, so it is no birth; the bus tells them.
-- KEYS T:g   ARGV T clkKnown tipKnown bornKnown newTip
-- -> {'OK', gate}
local refused = useOwn(ARGV[1], ARGV[2], ARGV[3], ARGV[4])
if refused then return refused end
local previous = tick(ARGV[5])
rf, uf = clk, 0
R('HSET', M, 'ff', Z:format(clk))
storeGate()
R('DEL', T .. ':un')                                    -- only now: the new read floor refuses the unswept
R('PUBLISH', T .. ':bus', string.format('I %.0f %s %s - %.0f\n*', clk, tip, previous, born))
return { 'OK', gate() }
