// Package host runs a transport plugin in a process of its own and is that transport for the engine.
//
// # Promises
//
//   - Blame: whatever goes wrong with the plugin is an error wrapping transports.ErrInterrupted, never a Result. Attempts
//     under way when it dies end so at once; one whose result never comes ends so at its Timeout plus Config.Grace.
//     An attempt is sent to at most one process, once.
//   - Submit takes no goroutine an attempt. What is ready goes out in batches, nothing waits for a batch to fill. done is called
//     exactly once.
//   - The plugin that runs is the one that was pinned: it is copied once and hashed on the way, to sealed memory, which
//     nobody can change any more, or to a private file, which is hashed again before every start; the copy is executed.
//   - It inherits no environment, no descriptor, no terminal; it leads a process group of its own, which is killed with it.
//   - A plugin that lies (a result nobody waits for, too many at once, bytes that are no message) is killed, and named in
//     Health. One that floods its output waits, and what is too much is dropped and counted. One that dies too often is
//     quarantined: not started again before Release.
//   - Confined, it has no new privileges, reads the system's files only and writes nothing but its socket; see confineThread.
//   - Not promised: a share of the processor (that takes a cgroup, which a service manager gives), a bound for the memory of
//     a plugin with all its children together (RLIMIT_DATA is each process's), and an end for a child that leaves the process
//     group.
//   - No orphans: the kernel kills it with the host (the signal is bound to the thread that started it, so that thread
//     lives as long as the Host), every error path kills it, and package sdk watches its parent besides.
//   - It is restarted when it dies or stops answering: after 0.1 s, doubling to 30 s, from the start again after a healthy minute.
//     Meanwhile an attempt waits up to 2 s before it is interrupted. A stop of either process for 2 s is not a death.
//
// # Concurrency
//
// A Host is safe for concurrent use. One goroutine owns the process from start to end; for a running process one sends, one
// receives and dispatches results, one asks for its health; one looks after attempts that take too long. Whoever called
// Start calls Close, which waits for all of them.
package host
