"""Mistakes in a config, merged over the published one, and the line that reports each.

`own` stands for the file with the mistake, `base` for config.yaml, FILE for a file that is there.
"""

BAD_EDITS = {
    "runs: {Raw: {normalise: false}}": (
        "own: runs Raw and raw differ in nothing but capital letters, and so would their folders: "
        "expected another name"
    ),
    "runs: {raw: {seeds: [4]}, Raw-seed-4: {}}": (
        "own: runs Raw-seed-4 and raw-seed-4 differ in nothing but capital letters, and so would "
        "their folders: expected another name"
    ),
    "training: {epochs: 1000000}": (
        "own: training.epochs is 1000000, expected a whole number from 1 to 999999"
    ),
    f"training: {{optimizer: {{learning_rate: 1{400 * '0'}}}}}": (
        f"own: training.optimizer.learning_rate is 1{56 * '0'}…, expected a number above 0"
    ),
    'dataset: {path: "a\\0b"}': 'own: dataset.path is "a\\u0000b", expected a path',
    "dataset: {nmae: 1}": "own: dataset.nmae: unknown key, did you mean name?",
    "selection: {zzz: 1}": "own: selection.zzz: unknown key, expected one of policy, epoch, split",
    "dataset: {name: cifar100}": (
        'own: dataset.name is "cifar100", expected one of cifar10, image-folder, shapes'
    ),
    "dataset: {name: shapes, test_images: 1000}": (
        "base: dataset.train_images is all, but shapes are drawn: expected how many"
    ),
    "dataset: {name: image-folder}": (
        "base: dataset.path is resources/cifar10: nothing is there, expected a folder, .tar.gz "
        "or .zip of images"
    ),
    "dataset: {path: gone.tar.gz}": (
        "own: dataset.path is gone.tar.gz: nothing is there, expected a folder, or the published "
        ".tar.gz"
    ),
    'dataset: {path: "resources/{cifar}"}': (
        "own: dataset.path is resources/{cifar}, but braces are Snakemake's wildcards: expected "
        "a path without them"
    ),
    "dataset: {path: /dev/zero, name: image-folder}": (
        "own: dataset.path is /dev/zero: nothing is there, expected a folder, .tar.gz or .zip of "
        "images"
    ),
    "dataset: {path: ., name: image-folder}": (
        "own: dataset.path is ., where results are written too: expected a folder of images alone"
    ),
    "dataset: {image_size: 32}": (
        "own: dataset.image_size is given, but cifar10 does not use it: expected it for an "
        "image-folder"
    ),
    "dataset: {image_size: [24, 40, 3]}": (
        "own: dataset.image_size is [24, 40, 3], expected the side of a square in pixels, from "
        "1 to 4096, or [height, width]"
    ),
    "dataset: {train_images: 50001}": "own: dataset.train_images is 50001, but cifar10 has 50000",
    "dataset: {train_images: 1e4}": (
        'own: dataset.train_images is "1e4", expected a whole number of at least 1, or all'
    ),
    "dataset: {train_images: 0}": (
        "own: dataset.train_images is 0, expected a whole number of at least 1, or all"
    ),
    "dataset: {validation_images: 50000}": (
        "own: dataset.validation_images is 50000, held out of 50000 training images: that leaves "
        "nothing to train on"
    ),
    "network: {conv: []}": (
        "own: network.conv is [], expected a list of at least one convolution, as in {channels: "
        "256, kernel: 5}"
    ),
    "network: {conv: [{channels: 3}]}": (
        "own: network.conv[0].kernel is missing, expected: Side of the filters, in pixels of "
        "their input."
    ),
    "network: {conv: [{channels: 256, kernel: 5, padding: 5}, {channels: 1024, kernel: 3}, "
    "{channels: 2048, kernel: 3}, {channels: 2048, kernel: 1}]}": (
        "own: network.conv[0].padding is 5, expected less than the kernel, which is 5"
    ),
    "network: {arguments: {}}": (
        "own: network.arguments: unknown key, expected one of conv, fc, dropout, factory"
    ),
    "network: {dropout: 1}": (
        "own: network.dropout is 1, expected a number of at least 0 and below 1"
    ),
    "network: {fc: [8, 0]}": "own: network.fc[1] is 0, expected a whole number of at least 1",
    "training: {epochs: 13.0}": (
        "own: training.epochs is 13.0, expected a whole number from 1 to 999999"
    ),
    "training: {epochs: true}": (
        "own: training.epochs is true, expected a whole number from 1 to 999999"
    ),
    "training: {epochs: 2e1}": (
        'own: training.epochs is "2e1", expected a whole number from 1 to 999999 (YAML reads 2e1 '
        "as text: write 20)"
    ),
    "training: {normalise: 1}": "own: training.normalise is 1, expected true or false",
    "training: {optimizer: {learning_rate: 1e-3}}": (
        'own: training.optimizer.learning_rate is "1e-3", expected a number above 0 (YAML reads '
        "1e-3 as text: write 0.001)"
    ),
    "training: {optimizer: {weight_decay: 1e-5}}": (
        'own: training.optimizer.weight_decay is "1e-5", expected a number of at least 0 (YAML '
        "reads 1e-5 as text: write 1.0e-05)"
    ),
    "training: {optimizer: {learning_rate: .nan}}": (
        "own: training.optimizer.learning_rate is NaN, expected a number above 0"
    ),
    "training: {optimizer: {learning_rate: .inf}}": (
        "own: training.optimizer.learning_rate is Infinity, expected a number above 0"
    ),
    "training: {optimizer: {momentum: 1}}": (
        "own: training.optimizer.momentum is 1, expected a number of at least 0 and below 1"
    ),
    "training: {keep_optimizer: first}": (
        'own: training.keep_optimizer is "first", expected all, last, or a list of epochs ([5, 10])'
    ),
    "training: {keep_optimizer: [13, 16]}": (
        "own: training.keep_optimizer[1] is 16, but training ends at epoch 15"
    ),
    "runs: {raw: {epochs: 14, keep_optimizer: [15]}}": (
        "own: runs.raw.keep_optimizer[0] is 15, but training ends at epoch 14"
    ),
    "training: {optimizer: false}": (
        "own: training.optimizer is false, expected a mapping of keys to values"
    ),
    "training: {precision: fp16}": 'own: training.precision is "fp16", expected one of fp32, bf16',
    "runs: {raw: {epochs: 12}}": "base: selection.epoch is 13, but run raw ends at epoch 12",
    "runs: {raw: }": "own: runs.raw is null, expected a mapping of keys to values",
    "runs: {raw: {normalize: false}}": (
        "own: runs.raw.normalize: unknown key, did you mean normalise?"
    ),
    "runs: {a b: {}}": (
        'own: runs has the key "a b", expected a name of at most 100 letters, digits, - and _'
    ),
    f"runs: {{{101 * 'a'}: {{}}}}": (
        f'own: runs has the key "{56 * "a"}…, expected a name of at most 100 letters, digits, - '
        "and _"
    ),
    "studied: [normalised, other]": (
        "own: studied[1] is other, expected a run named in runs: normalised, raw"
    ),
    'studied: ["two\\nlines"]': (
        'own: studied[0] is "two\\nlines", expected a run, or one of its epochs as in '
        "normalised/epoch-5"
    ),
    "studied: [normalised/epoch-0]": (
        'own: studied[0] is "normalised/epoch-0", expected a run, or one of its epochs as in '
        "normalised/epoch-5"
    ),
    "studied: [normalised/epoch-16]": (
        "own: studied[0] is normalised/epoch-16, but run normalised ends at epoch 15"
    ),
    "studied: [other/epoch-1]": (
        "own: studied[0] is other/epoch-1, expected a run named in runs: normalised, raw"
    ),
    "{runs: {own: {weights: FILE}}, studied: [own/epoch-2]}": (
        "own: studied[0] is own/epoch-2, but run own has weights in place of training: expected own"
    ),
    "{runs: {own: {weights: FILE}}, compared: [own]}": (
        "own: compared[0] is own, but run own has weights in place of training: expected a run "
        "that is trained here, or own in studied"
    ),
    "runs: {own: {weights: gone.pth}}": (
        "own: runs.own.weights is gone.pth: no file is there, expected a .pth or .safetensors with "
        "a state dict"
    ),
    "runs: {own: {weights: tests}}": (
        "own: runs.own.weights is tests: no file is there, expected a .pth or .safetensors with "
        "a state dict"
    ),
    "runs: {own: {weights: FILE, epochs: 3}}": (
        "own: runs.own.epochs is about training, but the run has weights: expected only weights, "
        "normalisation, normalise and seed"
    ),
    "runs: {own: {weights: FILE, normalise: false, normalisation: {mean: [0, 0, 0], std: [1, "
    "1, 1]}}}": "own: runs.own has a normalisation, and normalise: false: expected one of the two",
    "runs: {raw: {normalisation: {mean: [0, 0, 0], std: [1, 1, 1]}}}": (
        "own: runs.raw.normalisation is given without weights: a run that is trained here uses "
        "that of its images"
    ),
    "runs: {own: {weights: FILE, normalisation: {mean: [0, 0], std: [1, 1, 1]}}}": (
        "own: runs.own.normalisation.mean is [0, 0], expected a list of three numbers, of red, "
        "green and blue"
    ),
    "runs: {own: {weights: FILE, normalisation: {mean: [0, 0, 0], std: [1, 0, 1]}}}": (
        "own: runs.own.normalisation.std[1] is 0, expected a number of at most 1 and above 0"
    ),
    "runs: {own: {weights: FILE, normalisation: {mean: [125.3, 0, 0], std: [1, 1, 1]}}}": (
        "own: runs.own.normalisation.mean[0] is 125.3, expected a number of at least 0 and of at "
        "most 1"
    ),
    "training: {weights: FILE}": (
        "own: training.weights is given for all runs, expected it in a run: runs.NAME.weights"
    ),
    "training: {seeds: [0]}": (
        "own: training.seeds is given for all runs, expected it in a run: runs.NAME.seeds"
    ),
    "runs: {raw: {seeds: []}}": (
        "own: runs.raw.seeds is [], expected a list of at least one seed, each once"
    ),
    "runs: {raw: {seeds: [1, 1]}}": (
        "own: runs.raw.seeds is [1, 1], expected a list of at least one seed, each once"
    ),
    "runs: {raw: {seeds: [0, -1]}}": (
        "own: runs.raw.seeds[1] is -1, expected a whole number of at least 0 and of at most "
        "4294967295"
    ),
    "runs: {raw: {seed: 0, seeds: [1]}}": (
        "own: runs.raw has a seed, and seeds: expected one of the two"
    ),
    "runs: {raw: {seeds: [1, 4]}, raw-seed-4: {}}": (
        "own: runs.raw.seeds[1] is 4, which gives a run raw-seed-4, but runs has one of that "
        "name: expected another name of one of the two"
    ),
    "{runs: {normalised: {}, raw: {seeds: [1]}}, compared: [raw-seed-1]}": (
        "own: compared[0] is raw-seed-1, expected a run named in runs: normalised, raw"
    ),
    "runs: {own: {weights: FILE, seeds: [1]}}": (
        "own: runs.own.seeds is about training, but the run has weights: expected only weights, "
        "normalisation, normalise and seed"
    ),
    "ablation: {mode: off}": (
        "own: ablation.mode is false, expected one of zero, weights-only, mean"
    ),
    "figures: {captions: none}": 'own: figures.captions is "none", expected true or false',
    "figures: {svg: true}": (
        "own: figures.svg: unknown key, expected one of captions, as_published"
    ),
    "studied: normalised": (
        'own: studied is "normalised", expected a list of at least one run, each once'
    ),
    "studied: []": "own: studied is [], expected a list of at least one run, each once",
    "compared: [raw, normalised]": (
        "own: compared holds normalised, which is studied: expected each run in one list"
    ),
    "selection: {policy: best}": (
        "own: selection.split is validation, but dataset.validation_images is 0: expected some "
        "to be held out, or split: test"
    ),
    "selection: {epoch: 0}": "own: selection.epoch is 0, expected a whole number of at least 1",
    "occlusion: {windows: [3, 4]}": (
        "own: occlusion.windows[1] is 4, but a window is centred on a pixel: give an odd side "
        "(3, 5, 7 …)"
    ),
    "occlusion: {windows: [33]}": (
        "own: occlusion.windows[0] is 33, but the images are 32×32 pixels"
    ),
    "occlusion: {windows: [3, 3]}": (
        "own: occlusion.windows is [3, 3], expected a list of odd numbers, each once"
    ),
    "occlusion: {images: [0, 10000]}": (
        "own: occlusion.images[1] is 10000, but the test images are 0 to 9999"
    ),
    "occlusion: {images: 10001}": "own: occlusion.images is 10001, but 10000 images are tested",
    "occlusion: {images: []}": (
        "own: occlusion.images is [], expected how many (20), a list of indices ([0, 7, 12]), or "
        "all"
    ),
    "occlusion: {images: true}": (
        "own: occlusion.images is true, expected how many (20), a list of indices ([0, 7, 12]), "
        "or all"
    ),
    "occlusion: {stride: 0}": ("own: occlusion.stride is 0, expected a whole number of at least 1"),
    "occlusion: {stride: 33}": (
        "own: occlusion.stride is 33, but the images are 32×32 pixels: expected 1 to 32"
    ),
    "occlusion: {fill: 256}": "own: occlusion.fill is 256, expected a grey level from 0 to 255",
    "filters: {chosen: [conv1/256]}": (
        "own: filters.chosen[0] is conv1/256, but conv1 has channels 0 to 255"
    ),
    "filters: {chosen: [conv5/0]}": (
        "own: filters.chosen[0] is conv5/0, but the network's layers are conv1, conv2, conv3, conv4"
    ),
    "filters: {chosen: [conv2/007]}": (
        'own: filters.chosen[0] is "conv2/007", expected a filter as in conv2/400: layer, slash, '
        "channel from 0"
    ),
    "ablation: {table_images: 10001}": (
        "own: ablation.table_images is 10001, but 10000 images are tested"
    ),
    "experiment: a/b": (
        'own: experiment is "a/b", expected a name of at most 100 letters, digits, - and _'
    ),
    f"experiment: {101 * 'a'}": (
        f'own: experiment is "{56 * "a"}…, expected a name of at most 100 letters, digits, - and _'
    ),
    'experiment: "demo\\n"': (
        'own: experiment is "demo\\n", expected a name of at most 100 letters, digits, - and _'
    ),
}
