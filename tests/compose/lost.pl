# A replica that dies at the worst moment: ready, but every request is read to its end and the connection closed without an answer.
# Says "METHOD body" of each. Runs in the service's image, which has perl because Debian's smallest has.
use strict;
use warnings;
use IO::Socket::INET;

$| = 1;
my $listener = IO::Socket::INET->new( LocalPort => 5000, Listen => 64, ReuseAddr => 1 ) or die "cannot listen: $!";
while ( my $connection = $listener->accept ) {
    my $head = '';
    while ( my $line = <$connection> ) {
        $head .= $line;
        last if $line =~ /^\r?\n$/;
    }
    if ( $head =~ m{^GET /health/ready } ) {
        print $connection "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    }
    elsif ( $head =~ /^(\S+) / ) {
        my $method = $1;
        my $body   = '';
        read( $connection, $body, $1 ) if $head =~ /^content-length: *(\d+)/im;
        print "$method $body\n";
    }
    close $connection;
}
