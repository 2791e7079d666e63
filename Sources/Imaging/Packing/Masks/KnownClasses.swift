// The classes of sets that do not bring a list of their names along.

/// Pascal VOC's, by their number. Its colours are `MaskClasses.colour`'s.
let vocNames = [
  "background", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow", "dining table",
  "dog", "horse", "motorbike", "person", "potted plant", "sheep", "sofa", "train", "tv monitor",
]

/// The nineteen of Cityscapes that are trained on, in the order of their training ids, with the numbers of `labelIds`. All other
/// numbers are pixels without a class. From cityscapesScripts' labels.py.
let cityscapesClasses: [(number: Int, name: String, colour: [UInt8])] = [
  (7, "road", [128, 64, 128]), (8, "sidewalk", [244, 35, 232]), (11, "building", [70, 70, 70]),
  (12, "wall", [102, 102, 156]), (13, "fence", [190, 153, 153]), (17, "pole", [153, 153, 153]),
  (19, "traffic light", [250, 170, 30]), (20, "traffic sign", [220, 220, 0]), (21, "vegetation", [107, 142, 35]),
  (22, "terrain", [152, 251, 152]), (23, "sky", [70, 130, 180]), (24, "person", [220, 20, 60]),
  (25, "rider", [255, 0, 0]), (26, "car", [0, 0, 142]), (27, "truck", [0, 0, 70]), (28, "bus", [0, 60, 100]),
  (31, "train", [0, 80, 100]), (32, "motorcycle", [0, 0, 230]), (33, "bicycle", [119, 11, 32]),
]
