#pragma once

namespace jina {

/// From now on the process keeps the memory that tensors leave for those that follow, instead of giving it back to the
/// system and asking for zeroed pages again: a training step makes the same tensors every time, and the pages were a
/// sixth of it. For a process that does nothing but train; its memory stays at the peak.
void keep_freed_memory();

}  // namespace jina
