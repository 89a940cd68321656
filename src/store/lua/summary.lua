-- summary: what was said in older turns, in short, is kept with the session. It may come late: another run may hold the session by now.
-- KEYS 1 session
-- ARGV 1 session id 2 the number of the last turn that it covers 3 record
-- returns 1 kept | 0 the session is another, or the conversation was emptied, or what is kept covers as much
local s, bad = session_of(KEYS[1], 'sl')
if bad or not s or s.sid ~= ARGV[1] then return 0 end
local last = tonumber(ARGV[2])
if last < s.base or last >= s.base + s.len then return 0 end
if s.sl ~= '' and last <= (tonumber(s.sl) or -1) then return 0 end
redis.call('HSET', KEYS[1], 'sl', last, 'sum', ARGV[3])
return 1
