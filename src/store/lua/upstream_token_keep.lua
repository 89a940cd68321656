-- upstream_token_keep: what fetching a token came to. A token is kept whoever brings it: one that came late is as good as another.
-- Without one only the claim is given back.
-- KEYS 1 token   ARGV 1 who asked 2 sealed, or '' 3 ms that it lasts
-- returns 1
if ARGV[2] == '' then
  if redis.call('HGET', KEYS[1], 'own') == ARGV[1] then redis.call('HDEL', KEYS[1], 'own', 'lu') end
  return 1
end
redis.call('HSET', KEYS[1], 'tok', ARGV[2], 'end', now + ARGV[3])
redis.call('HDEL', KEYS[1], 'own', 'lu')
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
