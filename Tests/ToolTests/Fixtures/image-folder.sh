#!/bin/sh
# Makes trees of class folders with odd names, of copies of a picture, in a new folder `trees` here. image_folder.py and a test run it.
# Not among them are names that ImageFolder takes for two classes and pmae-pack refuses: one text in two of Unicode's forms.
# usage: image-folder.sh PICTURE
set -eu
picture=$(realpath "$1")
mkdir trees
cd trees

# put TREE CLASS FILE...: the names may have printf's escapes.
put() {
  class=$(printf "%b_" "$1/$2")
  class=${class%_}
  mkdir -p "$class"
  shift 2
  for file; do
    file=$(printf "%b_" "$file")
    mkdir -p "$(dirname "$class/${file%_}")"
    cp "$picture" "$class/${file%_}"
  done
}

put odd apple 1.jpg 10.JPG 2.jpeg
put odd Zebra 'with blank.jpg' '-dash.jpg'
put odd 'b c' z.jpg deep/er/a.jpg deep/b.jpg deep-er/c.jpg
put odd ' leading' 1.jpg
put odd 'trailing ' 1.jpg
put odd 'a,b' 'a,b.jpg'
put odd 'a"b' 'a"b.jpg'
put odd "it's" 1.jpg
put odd '*' '?.jpg'
put odd -- --output.jpg
put odd 'v1.2.3' 1.2.jpg
put odd 'line\nbreak' '\n.jpg'
put odd 'tab\tclass' '\t.jpg'
put odd 'back\\\\slash' 'back\\\\slash.jpg'
put odd '\303\204pfel' '\303\244.jpg'
put odd '\347\212\254' '\347\212\254.jpg'
put odd '\360\237\220\210' '\360\237\220\210.jpg'
put odd 10 1.jpg
put odd 9 1.jpg
put odd train 1.jpg
put odd masks 1.jpg
ln -s apple odd/link
ln -s ../apple odd/Zebra/apple

# Bytes that are no text.
put bytes 'f\377' '\377.jpg'
put bytes 'f\200' '\200\201.jpg'
put bytes 'f' 1.jpg
put bytes '\303\204' 1.jpg

put numbers 0 1.jpg
put numbers 2 1.jpg
put numbers 10 1.jpg
put numbers 01 1.jpg
put numbers -1 1.jpg
