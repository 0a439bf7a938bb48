// The rules of upgrade_opset, named after the operator and the opset that changed it: each makes a
// node of the opset before mean the same in that opset.
#pragma once

namespace ocs {

class Rewrite;

// upgrade_inputs.cpp: attributes that became inputs.
void upgrade_upsample_9(Rewrite& rewrite);
void upgrade_slice_10(Rewrite& rewrite);
void upgrade_topk_10(Rewrite& rewrite);
void upgrade_clip_11(Rewrite& rewrite);
void upgrade_pad_11(Rewrite& rewrite);
void upgrade_axes(Rewrite& rewrite);  // Squeeze, Unsqueeze, ReduceSum at 13, the reductions at 18
void upgrade_split_13(Rewrite& rewrite);
void upgrade_split_18(Rewrite& rewrite);
void upgrade_dft_20(Rewrite& rewrite);

// upgrade_resize.cpp
void upgrade_upsample_11(Rewrite& rewrite);
void upgrade_resize_11(Rewrite& rewrite);
void upgrade_resize_13(Rewrite& rewrite);

// upgrade_normalization.cpp
void upgrade_batch_normalization_9(Rewrite& rewrite);
void upgrade_batch_normalization_14(Rewrite& rewrite);
void upgrade_group_normalization_21(Rewrite& rewrite);
void upgrade_softmax_13(Rewrite& rewrite);  // LogSoftmax and Hardmax too

// upgrade_misc.cpp
void upgrade_dropout_10(Rewrite& rewrite);
void upgrade_dropout_12(Rewrite& rewrite);
void upgrade_scatter_11(Rewrite& rewrite);
void upgrade_roi_align_16(Rewrite& rewrite);
void upgrade_grid_sample_20(Rewrite& rewrite);
void upgrade_cast_24(Rewrite& rewrite);

}  // namespace ocs
