#!lua flags=allow-oom
-- flush: invalidate everything that was fetched before this instant. Constant time: the clock ticks, the read floor
-- rises over all entries, and the sweeper's walk frees them. The members stay, because the history goes on; the bus
-- informs them.
-- Atomic: nothing is judged by the new clock and an old floor.
-- KEYS T:g
-- ARGV tag clkKnown tipKnown bornKnown newTip
-- -> {'OK', gate}
local tag, clkKnown, tipKnown, bornKnown, newTip = arguments(5)
local refused = useOwn(tag, clkKnown, tipKnown, bornKnown)
if refused then return refused end
local previous = tick(newTip)
rf, uf = clk, 0
R('HSET', M, 'ff', Z:format(clk))
storeGate()
R('DEL', T .. ':un')                                    -- after the gate, which kills the unswept entries
R('PUBLISH', T .. ':bus', string.format('I %.0f %s %s - %.0f\n*', clk, tip, previous, born))
return { 'OK', gate() }
