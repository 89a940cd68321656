-- labels: what a session is called and what is noted of it, as it is told of a user's own sessions. Stands after session.

-- {session}, ms to live, title made from the first turn, title that the user gave, pinned, metadata, what it has come to: the last five or ''.
-- nil: there is none
local function labelled(key, fence)
  local s = session_of(key, 'ti', 'ut', 'pin', 'md', 'tot')
  if not s then return nil end
  return {told(s, fence), math.max(0, redis.call('PTTL', key)), s.ti, s.ut, s.pin, s.md, s.tot}
end

