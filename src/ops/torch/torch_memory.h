#pragma once

namespace jina {

/// From now on the memory of large tensors on the CPU comes from pages that earlier ones left, joined anew by the page
/// table for each tensor. So a training step, whose tensors have other sizes than those of the step before, neither
/// splits the heap into pieces that fit nothing nor asks the system for zeroed pages again; resident memory of tensors
/// is the most that lived at one time, plus half a megabyte for each of them at most. Repeated calls change nothing.
void recycle_tensor_pages();

}  // namespace jina
