-- account_remove: a user goes, with the session and everything else that is kept of them. What is told again under an idempotency key dies by
-- itself, and until then is told to nobody who gets the name (begin); failures from single addresses die by themselves too.
-- KEYS 1 to 13 as ends has them, of the main session 14 the bucket's users 15.. what else is the user's
-- ARGV 1 member 2 what the names of kept replies begin with 3 listed name
-- returns 1 removed | 0 no such user
if redis.call('HEXISTS', KEYS[1], 'role') == 0 then return 0 end
end_this(ARGV[1], ARGV[2], 'administrator')
end_others(ARGV[1], ARGV[2], 'administrator')
redis.call('SREM', KEYS[14], ARGV[3])
-- runs of theirs of which it is not known what became of a change
local unknown_runs = bucket_of(KEYS[1]) .. 'uo'
for _, entry in ipairs(redis.call('ZRANGE', unknown_runs, 0, -1)) do
  local user = string.match(entry, '^[^|]*|([^:|]*):')
  if user == ARGV[3] then redis.call('ZREM', unknown_runs, entry) end
end
redis.call('DEL', KEYS[1], KEYS[6])
for i = 15, #KEYS do redis.call('DEL', KEYS[i]) end
return 1
