#include "training/library.h"

#include "training/trainer.h"

// The functions that the program finds in libjina_torch.so.

extern "C" __attribute__((visibility("default"))) void jina_train(const jina::TrainRequest& request,
                                                                  const jina::TrainingEvents& events) {
  const std::unique_ptr<jina::Communicator> ranks = jina::make_communicator();
  jina::train(request, events, *ranks);
}
