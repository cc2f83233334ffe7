#!/usr/bin/perl
# app: stands for somebody's application, small enough to read.
#
#       app web|api     HTTP on $PORT (8080): /health says 200 while the database
#                       answers, 503 while not; / shows what is in it
#       app worker      reads from the database every second; with WORKER_WRITES=1
#                       it also writes a row into app.job_runs
#       app check       the container's health check: exit 0 when healthy
#
# Where the database is comes from DATABASE_URL, or from libpq's PG* variables.
use strict;
use warnings;
use Socket;

$| = 1;
$ENV{PATH} = "/usr/lib/postgresql/15/bin:$ENV{PATH}";       # Debian's psql is a script that looks for this one
my $role = '';
my $verb = shift // 'web';
my $port = $ENV{PORT} // 8080;
my $beat = '/tmp/worker.beat';

# DATABASE_URL as libpq's variables: a password belongs into no argv, and
# PGDATABASE is not read as a URL.
if (($ENV{DATABASE_URL} // '') =~ m{^postgres(?:ql)?://([^:@/]+)(?::([^@]*))?\@([^:/]+)(?::(\d+))?/([^?]+)}) {
        my ($user, $password, $host, $at, $database) = ($1, $2, $3, $4, $5);
        @ENV{qw(PGUSER PGPASSWORD PGHOST PGPORT PGDATABASE)} =
            map { s/%([0-9a-fA-F]{2})/chr hex $1/ger } $user, $password // '', $host, $at // 5432, $database;
}

sub sql {
        my ($statement) = @_;
        local $ENV{PGCONNECT_TIMEOUT} = 2;
        my $pid = open(my $psql, '-|') // return undef;
        if (!$pid) {
                open(STDERR, '>', '/dev/null');
                exec('psql', '-XAtq', '-c', $statement) or exit 127;
        }
        local $/;
        my $answer = <$psql>;
        return close($psql) ? ($answer // '') : undef;
}

sub log_line { print scalar(gmtime), " $role: @_\n" }

sub wait_for_database {
        my $told = 0;
        until (defined sql('select 1')) {
                log_line('waiting for the database') unless $told++;
                sleep 1;
        }
        log_line('connected, server version ' . (sql('show server_version') // '?') =~ s/\s+$//r);
}

sub answer {
        my ($client, $status, $body) = @_;
        print $client "HTTP/1.1 $status\r\nContent-Type: text/plain\r\n"
            . "Content-Length: " . length($body) . "\r\nConnection: close\r\n\r\n$body";
}

sub handle {
        my ($client) = @_;
        my $request = <$client> // '';
        while (defined(my $line = <$client>)) { last if $line =~ /^\r?\n$/ }
        my ($path) = $request =~ m{^(?:GET|HEAD) (\S+)} or return answer($client, '400 Bad Request', "?\n");
        if ($path eq '/health') {
                return defined sql('select 1') ? answer($client, '200 OK', "ok\n")
                                               : answer($client, '503 Service Unavailable', "no database\n");
        }
        my $text = sql(q{select 'users ' || (select count(*) from app.users)
                || ', posts ' || (select count(*) from app.posts)
                || ', revision ' || (select version_num from public.alembic_version)});
        return defined $text ? answer($client, '200 OK', "$role: $text")
                             : answer($client, '503 Service Unavailable', "no database\n");
}

sub serve {
        wait_for_database();
        socket(my $listener, PF_INET, SOCK_STREAM, 0) or die "no socket: $!\n";
        setsockopt($listener, SOL_SOCKET, SO_REUSEADDR, 1);
        bind($listener, sockaddr_in($port, INADDR_ANY)) && listen($listener, 20) or die "cannot listen on $port: $!\n";
        log_line("listening on $port");
        $SIG{CHLD} = 'DEFAULT';
        while (accept(my $client, $listener)) {
                select((select($client), $| = 1)[0]);
                eval { local $SIG{PIPE} = 'IGNORE'; local $SIG{ALRM} = sub { die }; alarm 5; handle($client); alarm 0 };
                alarm 0;
                close $client;
        }
}

sub work {
        wait_for_database();
        my $writes = ($ENV{WORKER_WRITES} // '') eq '1';
        while (1) {
                my $rows = sql($writes ? q{insert into app.job_runs (job, note) values ('beat', 'worker') returning id}
                                       : 'select count(*) from app.posts');
                if (defined $rows) {
                        open(my $f, '>', $beat); print $f time; close $f;
                } else {
                        log_line('the database does not answer');
                }
                sleep 1;
        }
}

sub check {
        exit(time - (stat $beat)[9] <= 12 ? 0 : 1) if -e $beat;      # only a worker has one
        local $SIG{ALRM} = sub { exit 1 };
        alarm 10;
        socket(my $server, PF_INET, SOCK_STREAM, 0) or exit 1;
        connect($server, sockaddr_in($port, INADDR_LOOPBACK)) or exit 1;
        syswrite $server, "GET /health HTTP/1.0\r\n\r\n";
        exit((<$server> // '') =~ / 200 / ? 0 : 1);
}

$SIG{TERM} = $SIG{INT} = sub { exit 0 };
if    ($verb eq 'check')  { check() }
elsif ($verb eq 'worker') { $role = $verb; work() }
elsif ($verb =~ /^(web|api)$/) { $role = $verb; serve() }
else { die "app: no role '$verb' (web, api, worker, check)\n" }
