#pragma once

namespace godwit::client {

// `rounds` random histories of three devices, two of one caseworker and one of the supervisor, that
// write the same records: online, without a network, with answers that are lost after the service
// has taken the write (what a device that dies there leaves behind), and sending what waits in any
// order. At the end of each all are connected, and a checker judges: every device shows the same,
// and every value that anybody wrote is there, was replaced by somebody who had seen it, or is kept
// as the other value of a conflict.
void RunHistories(int rounds, unsigned seed);

}  // namespace godwit::client
