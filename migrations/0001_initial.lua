-- The first keyspace: nothing to move. The bucket remembers that it has this shape.
-- KEYS[1] the bucket's meta hash   ARGV[1] the number this step reaches   returns keys changed
redis.call('HSET', KEYS[1], 'schema', ARGV[1])
return 1
