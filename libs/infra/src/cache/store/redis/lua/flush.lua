#!lua flags=allow-oom
-- flush: everything that was fetched before this instant is no longer true. Constant in time: the clock ticks and the read floor
-- rises over all entries, and the sweeper's audit frees them. The members stay, so it is no birth; they hear of it by the bus.
-- KEYS T:g   ARGV T newTip
-- -> 1
use(ARGV[1], ARGV[2])
local previous = tick(ARGV[2])
rf, uf = clk, 0
R('HSET', M, 'ff', Z:format(clk))
storeGate()
R('DEL', T .. ':un')                                    -- only now: the new read floor refuses what was unswept
R('PUBLISH', T .. ':bus', string.format('I %.0f %s %s -\n*', clk, tip, previous))
return 1
