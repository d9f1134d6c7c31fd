// Package harness is what the tests share that run the real program as a process, and kill,
// trace or cut it. Only tests import it, and it imports nothing of sp, so that those of every
// room can.
package harness
