<?php
// Starts PHP's built-in server with workers. Its workers outlive their master when that is killed, so it gets a process
// group of its own, and a watcher ends the group as soon as this process is gone, however it went.
declare(strict_types=1);
require __DIR__ . '/world.php';

$port = getenv('PORT') ?: '7302';
putenv('PHP_CLI_SERVER_WORKERS=' . (getenv('PHP_CLI_SERVER_WORKERS') ?: '6'));
putenv('RULES_DB=' . ($file = sys_get_temp_dir() . "/rules-php-$port-" . getmypid() . '.sqlite'));
db_reset(db());

[$here, $there] = stream_socket_pair(STREAM_PF_UNIX, STREAM_SOCK_STREAM, 0);
$server = pcntl_fork();
if ($server === 0) {
    posix_setpgid(0, 0);
    fclose($here);
    fclose($there);
    pcntl_exec(PHP_BINARY, ['-q', '-d', 'display_errors=0', '-d', 'log_errors=1', '-d', 'enable_post_data_reading=0', '-d', 'memory_limit=256M',
        '-S', "127.0.0.1:$port", __DIR__ . '/index.php']);
    exit(1);
}
posix_setpgid($server, $server);
if (pcntl_fork() === 0) {
    posix_setsid();
    fclose($there);
    while (!feof($here)) {                            // until the parent is gone
        fread($here, 1);
    }
    posix_kill(-$server, SIGKILL);
    array_map(fn ($f) => @unlink($f), [$file, "$file-wal", "$file-shm"]);
    exit(0);
}
fclose($here);
pcntl_async_signals(true);
foreach ([SIGTERM, SIGINT, SIGHUP] as $signal) {
    pcntl_signal($signal, fn () => exit(0));
}
while (pcntl_waitpid($server, $status, WNOHANG) === 0) {
    usleep(200_000);
}
exit(1);
