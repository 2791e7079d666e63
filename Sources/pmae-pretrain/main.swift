import Compute

useWidestInstructions()
PretrainTool.start()
